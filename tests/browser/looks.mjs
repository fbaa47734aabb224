/* SPDX-License-Identifier: MIT */
/*
 * Every page, with and without JavaScript, at phone and desktop width: nothing sticks out, axe-core finds nothing, the
 * console is silent, nothing is asked of another site. The screenshots stay in BUILD/screenshots.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look, PASSWORD, Server, shoot, visit } from "./world.mjs";

const EMAIL = "maya.lindqvist@example.org";
let server, browser, pages;

/* [name of the screenshot, path]: each state a person may meet. */
const collect = async () => {
	const { access_token } = await server.register(EMAIL, { username: "maya" });

	await server.post("login", { email: EMAIL, password: PASSWORD });
	const verify = (await server.mailed(EMAIL, "verify-email")).link;

	await server.post("forgot-password", { email: EMAIL });
	await server.post("change-email", { current_password: PASSWORD, new_email: "new@example.org" }, access_token);
	const reset = (await server.mailed(EMAIL, "reset-password")).link;
	const change = (await server.mailed("new@example.org", "change-email")).link;
	const dead = (link) => link.replace(/.{6}$/, "AAAAAA");

	return [
		["start", "/"],
		["login", "/login"], ["login-error", "/login?error=invalid_credentials"], ["login-done", "/login?done=1"],
		["register", "/register"], ["register-error", "/register?error=weak_password"], ["register-done", "/register?done=1"],
		["forgot-password", "/forgot-password"], ["forgot-password-done", "/forgot-password?done=1"],
		["reset-password", reset], ["reset-password-code", "/reset-password"], ["reset-password-dead", dead(reset)],
		["reset-password-done", "/reset-password?done=1"],
		["verify-email", verify], ["verify-email-code", "/verify-email"], ["verify-email-dead", dead(verify)],
		["verify-email-done", "/verify-email?done=1"],
		["change-email", change], ["change-email-dead", dead(change)], ["change-email-none", "/change-email"],
	];
};

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

		test(`pages at ${suffix} are in order`, { timeout: 240000 }, async () => {
			const { page, close } = await visit(browser, server, { ...options, javaScriptEnabled });
			const twin = javaScriptEnabled ? null : await visit(browser, server, options);
			const judge = axe ? twin?.page ?? page : null;

			for (const [name, path] of pages) {
				await page.goto(path);
				await settle(page, javaScriptEnabled);
				await check(page, name, `${name}-${suffix}`, judge);
			}
			await signIn(page);
			await settle(page, javaScriptEnabled);
			await check(page, "account", `account-${suffix}`, judge);
			await page.click("details summary");
			await check(page, "account, delete", null, judge);
			await close();
			await twin?.close();
		});
	}
};
