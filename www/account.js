/* SPDX-License-Identifier: MIT */
/* account.js: times as people write them; and, where the server could not know who asks, who that is. */
import { text } from "./texts.js";
import { call, page, signedIn } from "./session.js";

const short = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

const localTimes = () => {
	for (const time of document.querySelectorAll("time[datetime]"))
		if (time.dateTime !== "")
			time.textContent = short.format(new Date(time.dateTime));
};

const show = async (me) => {
	const none = await text("account.none");

	for (const element of document.querySelectorAll("[data-me]")) {
		const value = me[element.dataset.me];

		element.textContent = (Array.isArray(value) ? value.join(", ") : value) || none;
	}
	for (const field of document.querySelectorAll("[data-me-value], [data-form=account-resend] [name=email]"))
		field.value = me.email;
	for (const element of document.querySelectorAll("[data-if]"))
		element.hidden = !me[element.dataset.if];
	for (const element of document.querySelectorAll("[data-unless]"))
		element.hidden = me[element.dataset.unless];
};

/* The programs call it "Firefox on Linux" in every language. */
const deviceName = (device) => {
	const [program, system] = device.split(" on ");

	if (device === "")
		return text("device.unknown");
	return system === undefined ? device : text("device.on", { program, system });
};

const sessionRow = (session) => {
	const row = document.getElementById("session-row").content.querySelector(".session").cloneNode(true);

	for (const place of row.querySelectorAll("[data-value]")) {
		const value = session[place.dataset.value];

		if (place.localName === "time")
			place.dateTime = new Date(value * 1000).toISOString();
		else if (place.dataset.value === "current")
			place.hidden = !value;
		else
			place.textContent = value;
	}
	row.toggleAttribute("data-current", session.current);
	row.querySelector("[name=id]").value = session.id;
	return row;
};

/* Without cookies the page arrives empty and hidden. */
const fillShell = async (shell, onSubmit) => {
	const login = `login?return=${encodeURIComponent(location.pathname)}`;

	if (!signedIn()) {
		location.replace(page(login));
		return;
	}
	const [me, list] = await Promise.all([call("me", { method: "GET" }), call("sessions", { method: "GET" })]);

	if (!me.ok || !list.ok) {
		location.replace(page(`${login}&error=${(me.ok ? list : me).body.code ?? "internal"}`));
		return;
	}
	const sessions = await Promise.all(list.body.sessions.map(async (session) => ({ ...session, device: await deviceName(session.device) })));
	const rows = sessions.map(sessionRow);

	await show(me.body);
	document.getElementById("session-list").replaceChildren(...rows);
	for (const row of rows)
		row.querySelector("form").addEventListener("submit", onSubmit);
	shell.hidden = false;
};

export const fillAccount = async (onSubmit) => {
	const shell = document.querySelector("[data-needs-session]");

	if (shell)
		await fillShell(shell, onSubmit);
	localTimes();
};
