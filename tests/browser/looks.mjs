/* SPDX-License-Identifier: MIT */
/*
 * Every page, with and without JavaScript, at phone and desktop width: nothing sticks out, axe-core finds nothing, the
 * console is silent, nothing is asked of another site. The screenshots stay in BUILD/screenshots.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch, look, PASSWORD, programs, Server, shoot, visit } from "./world.mjs";

const EMAIL = "maya.lindqvist@example.org";
let server, browser, pages;

/* A registration that waits for its link, as a server with REGISTRATION=verify leaves it: the link is good under ours too. */
const register = async (email) => {
	const waiting = await Server.start({ STATE: server.state, FRONTEND_URL: server.url, REGISTRATION: "verify" });

	await waiting.post("register", { email, password: PASSWORD });
	const { link } = await server.mailed(email, "verify-email");

	await waiting.stop();
	return link;
};

/* [name of the screenshot, path]: each state a person may meet. */
const collect = async () => {
	const { access_token } = await server.register(EMAIL, { username: "maya" });

	await server.post("login", { email: EMAIL, password: PASSWORD });
	const verify = (await server.mailed(EMAIL, "verify-email")).link;

	await server.post("forgot-password", { email: EMAIL });
	await server.post("change-email", { current_password: PASSWORD, new_email: "new@example.org" }, access_token);
	const reset = (await server.mailed(EMAIL, "reset-password")).link;
	const change = (await server.mailed("new@example.org", "change-email")).link;
	const pending = await register("otto@example.org");
	const dead = (link) => link.replace(/.{6}$/, "AAAAAA");

	return [
		["start", "/"],
		["login", "/login"], ["login-error", "/login?error=invalid_credentials"], ["login-done", "/login?done=1"], ["login-gate", "/login?return=/members/"],
		["register", "/register"], ["register-error", "/register?error=weak_password"], ["register-done", "/register?done=1"],
		["forgot-password", "/forgot-password"], ["forgot-password-done", "/forgot-password?done=1"],
		["reset-password", reset], ["reset-password-code", "/reset-password"], ["reset-password-dead", dead(reset)],
		["reset-password-done", "/reset-password?done=1"],
		["verify-email", verify], ["verify-email-code", "/verify-email"], ["verify-email-dead", dead(verify)],
		["verify-email-done", "/verify-email?done=1"], ["verify-email-pending", pending],
		["change-email", change], ["change-email-dead", dead(change)], ["change-email-none", "/change-email"],
	];
};

/* What a person sees while the settings cannot be read, at a path of its own. */
const showTrouble = (page, locale) => page.route("**/trouble", (route) => {
	const { stdout } = spawnSync(path.join(programs, "page.fcgi"), { encoding: "utf8", timeout: 20000, env: {
		COOKIE_MODE: "perhaps", GATEWAY_INTERFACE: "CGI/1.1", REQUEST_METHOD: "GET", SCRIPT_NAME: "/account",
		HTTP_ACCEPT: "text/html", HTTP_ACCEPT_LANGUAGE: locale,
	} });
	const [head, ...body] = stdout.split("\r\n\r\n");

	assert.match(head, /^Status: 503 /);
	return route.fulfill({ body: body.join("\r\n\r\n"), contentType: "text/html; charset=utf-8" });
});

/*
 * axe-core is a script itself. A page without JavaScript is shown to it as a copy, in which what
 * <noscript> held stands open.
 */
const lookAtCopy = async (page, copy) => {
	const html = (await page.content()).replace(/<\/?noscript>|<script[^>]*><\/script>/g, "");

	await copy.unrouteAll();
	await copy.route(page.url(), (route) => route.fulfill({ body: html, contentType: "text/html" }));
	await copy.goto(page.url());
	return look(copy, { "color-contrast": { enabled: false } });	/* the same colours as with JavaScript */
};

/* axe: the page axe-core runs in, or null. */
const check = async (page, name, shot, axe) => {
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

	if (shot)
		await shoot(page, shot);
	assert.equal(wide, 0, `${name} is wider than the window`);
	if (axe !== null)
		assert.deepEqual(await (axe === page ? look(page) : lookAtCopy(page, axe)), [], name);
};

const settle = (page, javaScriptEnabled) => javaScriptEnabled
	? page.waitForFunction(() => [...document.querySelectorAll(".secret")].every((field) => field.querySelector("button")) &&
		document.getElementById("who")?.textContent !== "")
	: Promise.resolve();

const signIn = async (page) => {
	await page.goto("/login");
	await page.fill("#identifier", EMAIL);
	await page.fill("#password", PASSWORD);
	await Promise.all([page.waitForURL("**/account*"), page.click("main form button[type=submit]")]);
};

/*
 * One test a variant: { width, javaScriptEnabled, colorScheme, locale, axe }. axe-core takes longer than all the rest,
 * and finds the same at every width.
 */
export const looks = (variants) => {
	before(async () => {
		[server, browser] = await Promise.all([Server.start(), launch()]);
		pages = await collect();
	});
	after(async () => {
		await browser?.close();
		await server?.stop();
	});
	for (const { width, javaScriptEnabled, colorScheme, locale = "en-GB", axe = false } of variants) {
		const suffix = `${width}-${javaScriptEnabled ? "script" : "plain"}-${colorScheme}`;
		const options = { colorScheme, locale, viewport: { width, height: width === 360 ? 740 : 800 } };

		test(`pages at ${suffix} are in order`, { timeout: 480000 }, async () => {
			const { page, close } = await visit(browser, server, { ...options, javaScriptEnabled });
			const twin = javaScriptEnabled ? null : await visit(browser, server, options);
			const judge = axe ? twin?.page ?? page : null;

			for (const [name, path] of pages) {
				await page.goto(path);
				await settle(page, javaScriptEnabled);
				await check(page, name, `${name}-${suffix}`, judge);
			}
			await showTrouble(page, locale);
			await page.goto("/trouble");
			await check(page, "trouble", `trouble-${suffix}`, judge);
			await signIn(page);
			await settle(page, javaScriptEnabled);
			await check(page, "account", `account-${suffix}`, judge);
			await page.goto("/account?error=invalid_credentials");
			await settle(page, javaScriptEnabled);
			await check(page, "account, refused", `account-error-${suffix}`, null);
			await page.click("details summary");
			await check(page, "account, delete", null, judge);
			await close();
			await twin?.close();
		});
	}
};
