/* SPDX-License-Identifier: MIT */
/*
 * pages.js: makes the forms smoother. Without this file each of them works by itself in cookie mode; with it they
 * are sent without a reload, and answers and errors are told where they belong.
 */
import { text } from "./texts.js";
import { call, forget, page, stay } from "./session.js";
import { strength } from "./strength.js";
import { addConfirm, agree } from "./confirm.js";
import { fillAccount } from "./account.js";

const body = document.body;
const min = Number(body.dataset.passwordMin);

/* The token of a mailed link leaves the address bar and the history; the form holds it. Where we failed, only the address does. */
if (!body.classList.contains("sorry") && new URLSearchParams(location.search).has("token"))
	history.replaceState(null, "", location.pathname);

/* Which field of a form an error is about. */
const CULPRITS = {
	weak_password: "[data-strength]",
	password_too_long: "[data-strength]",
	invalid_email: "[type=email]:not([hidden])",
	account_exists: "[name=email], [name=new_email]",
	invalid_username: "[name=username]",
	invalid_credentials: "[name=current_password], [name=password]",
	reset_token_invalid: "[name=code]",
};

const messageOf = (form) => {
	const own = form.closest("section");
	let message = own?.querySelector(".message");

	if (own === null)
		return document.getElementById("message");
	if (!message) {
		message = document.createElement("div");
		message.id = `message-${form.dataset.form}`;
		message.className = "message";
		message.tabIndex = -1;
		message.setAttribute("role", "alert");
		(form.closest(".sessions, .actions") ?? form).before(message);
	}
	return message;
};

const say = (form, words, bad) => {
	const message = messageOf(form);
	const line = document.createElement("p");

	line.textContent = words;
	message.classList.toggle("bad", bad);
	message.replaceChildren(line);
	return message;
};

const clear = (form) => {
	messageOf(form).replaceChildren();
	for (const field of form.querySelectorAll("[aria-invalid]")) {
		field.removeAttribute("aria-invalid");
		const rest = field.getAttribute("aria-describedby")?.split(" ").filter((id) => !id.startsWith("message")) ?? [];

		if (rest.length > 0)
			field.setAttribute("aria-describedby", rest.join(" "));
		else
			field.removeAttribute("aria-describedby");
	}
};

const errorText = ({ body: answer, retryAfter }) => {
	const keys = (answer.reasons ?? []).map((reason) => `error.${answer.code}.${reason}`);

	if (answer.code === "rate_limited" && retryAfter > 0)
		keys.push(`error.rate_limited.${retryAfter > 90 ? "minutes" : "seconds"}`);
	keys.push(`error.${answer.code}.${body.className}`, `error.${answer.code}`, "error.internal");
	return text(keys, { password_min: min, seconds: retryAfter, minutes: Math.ceil(retryAfter / 60) });
};

const refuse = async (form, answer) => {
	const words = await errorText(answer);
	const message = say(form, words || answer.body.error || "", true);
	const field = form.querySelector(CULPRITS[answer.body.code] ?? ":not(*)");

	if (!field) {
		message.focus();
		return;
	}
	field.setAttribute("aria-invalid", "true");
	field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${message.id}`.trim());
	field.focus();
	field.select();
};

/* Where a sign-in leads: the server has checked `return` before it wrote it into the page. */
const go = (form) => {
	const target = new URL(form.elements.return?.value ?? page("account"), location.href);

	location.assign(target.origin === location.origin ? target : page("account"));
};

const toLogin = async (form) => {
	forget();
	location.assign(page("login?done=1"));
};

/* The form has done its work: it goes, and what to do next appears. */
const finish = async (form, key) => {
	say(form, await text(key), false).focus();
	form.hidden = true;
	for (const gone of document.querySelectorAll("main > .intro"))
		gone.hidden = true;
	for (const next of document.querySelectorAll("[data-after]"))
		next.hidden = false;
};

const done = async (form, key) => {
	say(form, await text(key), false).focus();
	form.reset();
	for (const meter of form.querySelectorAll(".strength"))
		meter.remove();
};

const signInName = (fields) => {
	const { email, username, password } = fields;
	const name = (email ?? username).trim();

	return name.includes("@") ? { email: name, password } : { username: name, password };
};

/*
 * What a form does beyond sending its fields to its action:
 *	send	fields -> what is sent	(default: the fields)
 *	then	what happens on success
 */
const FORMS = {
	login: { send: signInName, then: go },
	register: {
		then: (form, answer) => answer.status === 202 ? finish(form, "register.done") : go(form),
	},
	"forgot-password": { then: (form) => finish(form, "forgot-password.done") },
	"reset-password": { then: (form) => finish(form, "reset-password.done") },
	"verify-email": { then: (form) => finish(form, "verify-email.confirmed") },
	"verify-resend": { then: (form) => finish(form, "verify-email.sent") },
	"change-email-link": { then: (form) => finish(form, "change-email.done") },
	"account-resend": { then: (form) => done(form, "account.resent") },
	"change-password": {
		then: async (form) => {
			await done(form, "account.password_done");
			for (const row of document.querySelectorAll(".session:not([data-current])"))
				row.remove();
		},
	},
	"change-email": { then: (form) => done(form, "account.email_done") },
	"session-end": {
		method: "DELETE",
		then: async (form) => {
			const row = form.closest(".session");

			if (row.hasAttribute("data-current")) {
				await toLogin(form);
				return;
			}
			say(form, await text("account.ended"), false).focus();
			row.remove();
		},
	},
	logout: { then: toLogin },
	"logout-all": { send: () => ({ all: true }), then: toLogin },
	"delete-account": { then: toLogin },
};

const submit = async (form) => {
	const rule = FORMS[form.dataset.form];
	const { csrf_token, return: path, confirm_password, ...fields } = Object.fromEntries(new FormData(form));
	const name = form.action.split("/").pop();
	const filled = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
	const sent = rule.send?.(filled) ?? filled;
	const answer = rule.method === "DELETE"
		? await call(`${name}?id=${encodeURIComponent(sent.id)}`, { method: "DELETE" })
		: await call(name, { body: sent });

	if (answer.ok)
		await rule.then(form, answer);
	else if (answer.status === 401 && answer.body.code !== "invalid_credentials" && form.closest("section"))
		location.assign(page(`login?error=${answer.body.code}&return=${encodeURIComponent(location.pathname)}`));
	else
		await refuse(form, answer);
};

const onSubmit = async (event) => {
	const form = event.target;
	const button = form.querySelector("[type=submit]");

	event.preventDefault();
	if (button.getAttribute("aria-busy") === "true")
		return;
	button.setAttribute("aria-busy", "true");
	for (const field of form.querySelectorAll("[autocomplete$=-password]"))
		field.type = "password";
	clear(form);
	if (agree(form))
		await submit(form);
	button.removeAttribute("aria-busy");
};

/* A button that shows what was typed, of a new password both times. */
const addShow = async (field) => {
	const button = document.createElement("button");
	const fields = [field, ...field.matches("[data-strength]") ? field.form.querySelectorAll("[name=confirm_password]") : []];
	const [show, hide, label] = await Promise.all(["password.show", "password.hide", "password.show_label"].map((key) => text(key)));
	const update = () => {
		button.textContent = field.type === "password" ? show : hide;
		button.setAttribute("aria-pressed", String(field.type !== "password"));
	};

	button.type = "button";
	button.setAttribute("aria-label", label);
	button.setAttribute("aria-controls", fields.map(({ id }) => id).join(" "));
	button.addEventListener("click", () => {
		const type = field.type === "password" ? "text" : "password";

		for (const each of fields)
			each.type = type;
		update();
		field.focus();
	});
	field.form.addEventListener("submit", update);
	update();
	field.parentNode.append(button);
};

const ownWords = (form) => [...document.querySelectorAll("[data-me]"), ...form.querySelectorAll("[type=email], [name=username]")]
	.map((element) => element.value ?? element.textContent).filter((word) => word);

/* Says how strong a new password is, once the typing pauses. */
const addStrength = (field) => {
	const meter = document.createElement("div");
	const bar = document.createElement("span");
	const words = document.createElement("span");
	let pause;

	meter.className = "strength";
	bar.className = "bar";
	bar.setAttribute("aria-hidden", "true");
	bar.append(...Array.from({ length: 4 }, () => document.createElement("i")));
	words.setAttribute("role", "status");
	meter.append(bar, words);
	field.addEventListener("input", () => {
		const { name, level } = strength(field.value, ownWords(field.form), min);

		if (!meter.isConnected)
			field.parentNode.after(meter);
		meter.dataset.level = field.value === "" ? 0 : level;
		clearTimeout(pause);
		pause = setTimeout(async () => {
			words.textContent = field.value === "" ? "" : await text(`strength.${name}`);
		}, 250);
	});
};

/* With a script one field takes both, an address or a user name. */
const widenSignIn = async () => {
	const field = document.getElementById("identifier");
	const label = field && await text("field.identifier");

	if (!label)
		return;
	field.type = "text";
	field.name = "email";
	field.labels[0].textContent = label;
};

const start = async () => {
	for (const form of document.querySelectorAll("form[data-form]"))
		form.addEventListener("submit", onSubmit);
	for (const form of document.querySelectorAll("[data-needs-script]"))
		form.hidden = false;
	for (const field of document.querySelectorAll("[data-strength]"))
		addStrength(field);
	for (const field of document.querySelectorAll("[name=confirm_password]"))
		addConfirm(field);
	await Promise.all([widenSignIn(), ...Array.from(document.querySelectorAll(".secret input"), addShow)]);
	if (body.classList.contains("account"))
		await Promise.all([fillAccount(onSubmit), stay()]);
};

start();
