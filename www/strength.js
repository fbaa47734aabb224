/* SPDX-License-Identifier: MIT */
/*
 * strength.js: a rough guess at a password's strength while it is typed. Nothing is sent anywhere; the
 * server judges for itself when the form is sent, with a far larger list.
 */
const COMMON = ("password passwort contraseña kennwort secret letmein welcome hallo hello hola admin login qwerty qwertz " +
	"azerty dragon monkey football baseball master sunshine princess iloveyou superman batman trustno starwars shadow " +
	"michael jordan hunter killer pepper ginger summer winter spring autumn sommer sonne schatz liebe amor internet " +
	"computer whatever freedom cheese flower charlie thomas daniel jessica ashley test pass love abc asdf yxcv zxcv").split(" ");
const ROWS = ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertzuiop", "qwertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm"];
const LOOKS_LIKE = { 0: "o", 1: "i", 3: "e", 4: "a", 5: "s", 7: "t", 8: "b", $: "s", "@": "a", "!": "i" };
/* Decimal digits of the number of guesses: ten for a character that follows no pattern. */
const CHARACTER = 1;
const FOLLOWER = 0.15;
const WORD = 2.5;
const LEVELS = [["weak", 6], ["fair", 8], ["good", 10], ["strong", Infinity]];

const follows = (a, b) => a === b || ROWS.some((row) => row.includes(a + b) || row.includes(b + a));

/* Takes every word out; what is left stands apart. */
const withoutWords = (plain, words) => {
	let found = 0;

	for (const word of words) {
		const parts = plain.split(word);

		found += parts.length - 1;
		plain = parts.join(" ");
	}
	return { rest: plain, found };
};

/* { name: "short", "weak", "fair", "good" or "strong", level: 0 to 4 } */
export const strength = (password, own, min) => {
	const lower = password.toLowerCase();
	const plain = Array.from(lower, (c) => LOOKS_LIKE[c] ?? c).join("");
	const words = [...own.flatMap((word) => word.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((w) => w.length > 2), ...COMMON];
	const choices = [lower, plain].map((form) => {
		const { rest, found } = withoutWords(form, words);
		const each = Array.from(rest).filter((c) => c !== " ");

		return found * WORD + each.reduce((digits, c, i) =>
			digits + (i > 0 && follows(each[i - 1], c) ? FOLLOWER : CHARACTER), 0);
	});
	const level = LEVELS.findIndex(([, below]) => Math.min(...choices) < below);

	if (Array.from(password).length < min)
		return { name: "short", level: 0 };
	return { name: LEVELS[level][0], level: level + 1 };
};
