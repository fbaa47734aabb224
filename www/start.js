/* SPDX-License-Identifier: MIT */
/* start.js: the start page shows who is signed in and what the endpoints answer. */
import { base, preferred, table, text } from "./texts.js";
import { call, forget, refresh, signedIn, stay } from "./session.js";

const by = (id) => document.getElementById(id);

const translate = async () => {
	const language = preferred();
	const texts = language === "en" ? new Map() : await table(language);

	if (texts.size === 0)
		return;
	document.documentElement.lang = language;
	for (const element of document.querySelectorAll("[data-text]"))
		element.textContent = texts.get(element.dataset.text) ?? element.textContent;
	for (const element of document.querySelectorAll("[data-label]"))
		element.setAttribute("aria-label", texts.get(element.dataset.label) ?? "");
};

const showWho = async () => {
	const me = signedIn() ? await call("me", { method: "GET" }) : { ok: false };
	const name = me.ok ? me.body.username ?? me.body.email : "";

	by("member").hidden = !me.ok;
	by("stranger").hidden = me.ok;
	by("who").textContent = await text(me.ok ? "start.somebody" : "start.nobody", { name });
	if (me.status === 401)
		forget();
};

/* Tokens are shown in part: enough to see them change, too little to be copied from a screenshot. */
const shorten = (name, value) =>
	/_token$/.test(name) && typeof value === "string" ? `${value.slice(0, 18)}…${value.slice(-6)}` : value;

const ask = async (button) => {
	const [method, name] = button.dataset.call.split(" ");
	const answer = name === "refresh" ? await refresh() : await call(name, { method });
	const lines = answer.status === 204 ? "" : `\n${JSON.stringify(answer.body, shorten, 2)}`;

	by("answer").textContent = `${method} /auth/${name}\n${answer.status}${lines}`;
};

const signOut = async () => {
	await call("logout", { body: {} });
	forget();
	await showWho();
	by("who").focus();
};

const start = async () => {
	by("demo").hidden = false;
	by("curl").textContent = by("curl").textContent.replaceAll("http://127.0.0.1:8080/", base.href);
	for (const button of document.querySelectorAll("[data-call]"))
		button.addEventListener("click", () => ask(button));
	by("sign-out").addEventListener("click", signOut);
	await translate();
	await showWho();
	await stay();
};

start();
