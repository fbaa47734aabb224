/* SPDX-License-Identifier: MIT */
/* texts.js: what scripts say, from the same tables the programs use (texts/en.txt and its sisters). */

export const base = new URL(".", import.meta.url);
const languages = ["en", "es", "de"];
const tables = new Map();

const load = async (language) => {
	const answer = await fetch(new URL(`texts/${language}.txt`, base));
	const lines = answer.ok ? (await answer.text()).split("\n") : [];

	return new Map(lines.filter((line) => line.includes(" = ")).map((line) => {
		const at = line.indexOf(" = ");

		return [line.slice(0, at), line.slice(at + 3)];
	}));
};

export const preferred = () => navigator.languages
	.map((tag) => tag.split("-")[0].toLowerCase())
	.find((tag) => languages.includes(tag)) ?? "en";

/* The table of the page's language; empty when it cannot be had. */
export const table = (language = document.documentElement.lang) => {
	if (!tables.has(language))
		tables.set(language, load(language).catch(() => new Map()));
	return tables.get(language);
};

/* The first of the keys that has a text, with {{name}} replaced; "" when none has. */
export const text = async (keys, values = {}) => {
	const texts = await table();
	const key = [keys].flat().find((name) => texts.has(name));

	return (texts.get(key) ?? "").replace(/\{\{(\w+)\}\}/g, (_, name) => values[name] ?? "");
};
