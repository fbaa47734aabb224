/* SPDX-License-Identifier: MIT */
/*
 * session.js: who is signed in, and every call to the server.
 *
 * With COOKIE_MODE=on the session is in cookies that no script can read; we only echo the CSRF value.
 * Otherwise the tokens are in sessionStorage. Memory alone would sign people out at every link, since our
 * pages are separate documents; localStorage would outlive the tab on a shared machine. What can read
 * sessionStorage is script of this origin, and the content security policy lets only ours run.
 */
import { base } from "./texts.js";

const KEPT = "guardbee";		/* in sessionStorage: the tokens */
const DUE = "guardbee-due";		/* in localStorage: when to refresh, no secret */
const tabs = new BroadcastChannel("guardbee");

export const page = (name) => new URL(name, base).href;

const tokens = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
const csrf = () => document.cookie.match(/(?:^|;\s*)__Host-gb_csrf=([^;]*)/)?.[1];

export const bearer = () => tokens()?.access_token;
export const signedIn = () => tokens() !== null || csrf() !== undefined;

export const forget = () => {
	sessionStorage.removeItem(KEPT);
	localStorage.removeItem(DUE);
	document.cookie = "__Host-gb_csrf=; Max-Age=0; Path=/; Secure; SameSite=Strict";
};

/* What login, register and refresh answered. */
const keep = (answer) => {
	const due = Date.now() + 1000 * Math.min(answer.expires_in * 0.8, answer.refresh_expires_in * 0.5);

	if (answer.refresh_token === undefined) {
		localStorage.setItem(DUE, due);
		return;
	}
	sessionStorage.setItem(KEPT, JSON.stringify({
		access_token: answer.access_token, refresh_token: answer.refresh_token, due,
	}));
};

const due = () => Number(tokens() === null ? localStorage.getItem(DUE) ?? 0 : tokens().due);

const send = async (name, { method = "POST", body, token } = {}) => {
	const headers = { Accept: "application/json" };

	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	if (token !== undefined)
		headers.Authorization = `Bearer ${token}`;
	else if (method !== "GET" && csrf() !== undefined)
		headers["X-CSRF-Token"] = csrf();
	try {
		const answer = await fetch(page(`auth/${name}`), {
			method, headers, credentials: "same-origin", cache: "no-store",
			body: body === undefined ? undefined : JSON.stringify(body),
		});
		const type = answer.headers.get("Content-Type") ?? "";

		return {
			ok: answer.ok,
			status: answer.status,
			retryAfter: Number(answer.headers.get("Retry-After") ?? 0),
			body: type.startsWith("application/json") ? await answer.json() : {},
		};
	} catch {
		return { ok: false, status: 0, retryAfter: 0, body: { code: "network" } };
	}
};

/* A duplicated tab holds a copy of the tokens: it takes over what another has refreshed. */
tabs.onmessage = ({ data }) => {
	if (tokens()?.refresh_token === data.spent)
		keep(data.answer);
};

const refreshOnce = async (before) => {
	const held = tokens();

	/* Another tab was first. */
	if ((held?.refresh_token ?? due()) !== before)
		return { ok: signedIn(), status: 200, retryAfter: 0, body: {} };
	const answer = await send("refresh", { body: held === null ? {} : { refresh_token: held.refresh_token } });

	if (answer.ok) {
		keep(answer.body);
		if (held !== null)
			tabs.postMessage({ spent: held.refresh_token, answer: answer.body });
	} else if (answer.status === 401 || answer.status === 403) {
		forget();
	}
	return answer;
};

/* One refresh at a time, over all calls of this tab and all tabs. */
let refreshing = null;
export const refresh = () => {
	const before = tokens()?.refresh_token ?? due();
	const run = () => refreshOnce(before);

	refreshing ??= (navigator.locks ? navigator.locks.request("guardbee-refresh", run) : run())
		.finally(() => { refreshing = null; });
	return refreshing;
};

/* Calls an endpoint as whoever is signed in. Tokens that are about to end are refreshed first. */
export const call = async (name, options = {}) => {
	let answer;

	if (tokens() !== null && due() <= Date.now())
		await refresh();
	answer = await send(name, { ...options, token: bearer() });
	if (answer.body.code === "token_expired" && tokens() !== null && (await refresh()).ok)
		answer = await send(name, { ...options, token: bearer() });
	if (answer.ok && (name === "login" || name === "register") && answer.status !== 202)
		keep(answer.body);
	return answer;
};

/* Refreshes while a page is open, so that who comes back is still signed in. */
export const stay = async () => {
	if (!signedIn())
		return;
	if (due() <= Date.now() && !(await refresh()).ok)
		return;
	setTimeout(stay, Math.min(Math.max(due() - Date.now(), 1000), 2 ** 31 - 1));
};
