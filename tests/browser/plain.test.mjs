/* SPDX-License-Identifier: MIT */
/* The same jobs without JavaScript: plain forms, in cookie mode. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { choose, launch, NEW_PASSWORD, PASSWORD, Server, visit } from "./world.mjs";

const options = { timeout: 60000 };
let server, browser;

before(async () => {
	[server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

const enter = (expect = []) => visit(browser, server, { javaScriptEnabled: false, expect });
const press = (page, form) => page.click(`form[data-form=${form}] [type=submit]`);
const at = (page) => page.url().slice(server.url.length);

const signIn = async (page, email, password, path = "/login") => {
	await page.goto(path);
	await page.fill("#identifier", email);
	await page.fill("#password", password);
	await press(page, "login");
};

test("a stranger registers, signs out and signs in again, back to where it began", options, async () => {
	const { page, close } = await enter();

	await page.goto("/account");
	assert.equal(at(page), "/login?return=/account");
	await page.click("text=Create one");
	await page.fill("#email", "ada@example.org");
	await page.fill("#username", "ada");
	await choose(page, PASSWORD, "#password");
	await press(page, "register");
	assert.equal(at(page), "/account");
	assert.match(await page.textContent("main"), /ada@example\.org/);
	await press(page, "logout");
	assert.equal(at(page), "/login?done=1");
	assert.match(await page.textContent("#message"), /You are signed out/);
	await signIn(page, "ada@example.org", PASSWORD, "/login?return=%2F%3Fa%3D1%26b%3D2");
	assert.equal(at(page), "/?a=1&b=2");
	await page.click("noscript a");
	assert.equal(at(page), "/account");
	await close();
});

test("a refused form keeps where it was going, and says why", options, async () => {
	const { page, close } = await enter();

	await signIn(page, "nobody@example.org", "something", "/login?return=%2Fsome%2Fplace");
	assert.match(at(page), /^\/login\?error=invalid_credentials&return=/);
	assert.match(await page.title(), /^Error: /);
	assert.equal(await page.textContent("#message"), "The name or the password is not right.");
	assert.equal(await page.inputValue("[name=return]"), "/some/place");
	assert.equal(await page.getAttribute("#password", "aria-invalid"), "true");
	await close();
});

test("a user name serves to sign in", options, async () => {
	const { page, close } = await enter();

	await server.register("bob@example.org", { username: "bobby" });
	await page.goto("/login?return=%2F%3Fx");
	await page.click("noscript a");
	await page.getByLabel("User name").fill("bobby");
	await page.fill("#password", PASSWORD);
	await press(page, "login");
	assert.equal(at(page), "/?x");
	await close();
});

test("forgotten: a refused password keeps the link, a good one spends it", options, async () => {
	const { page, close } = await enter([422]);
	const email = "carol@example.org";

	await server.register(email);
	await page.goto("/forgot-password");
	await page.fill("#email", email);
	await press(page, "forgot-password");
	assert.equal(at(page), "/forgot-password?done=1");
	const { link } = await server.mailed(email, "reset-password");

	await page.goto(link);
	await choose(page, "short");
	await press(page, "reset-password");
	assert.match(await page.textContent("#message"), /at least 8 characters/);
	assert.ok((await page.inputValue("[name=token]")).length > 100, "the token stays in the form");
	await choose(page, NEW_PASSWORD);
	await press(page, "reset-password");
	assert.equal(at(page), "/reset-password?done=1");
	await page.goto(link);
	assert.match(await page.textContent("main"), /no longer good/);
	await signIn(page, email, PASSWORD);
	assert.match(at(page), /error=invalid_credentials/);
	await signIn(page, email, NEW_PASSWORD);
	assert.equal(at(page), "/account");
	await close();
});

test("addresses are confirmed and changed by their links", options, async () => {
	const { page, close } = await enter();
	const email = "dora@example.org";

	await server.register(email);
	await page.goto((await server.mailed(email, "verify-email")).link);
	await press(page, "verify-email");
	assert.equal(at(page), "/verify-email?done=1");
	await signIn(page, email, PASSWORD);
	assert.equal(await page.locator("[data-if=email_verified]").isVisible(), true);
	await page.fill("#new_email", "dorothea@example.org");
	await page.fill("#email-current", PASSWORD);
	await press(page, "change-email");
	assert.equal(at(page), "/account?done=1");
	await page.goto((await server.mailed("dorothea@example.org", "change-email")).link);
	assert.match(await page.textContent("main"), /dorothea@example\.org/);
	await press(page, "change-email-link");
	assert.equal(at(page), "/change-email?done=1");
	await page.goto("/account");
	assert.match(await page.textContent("[data-me=email]"), /dorothea@example\.org/);
	await close();
});

test("the account page ends sessions, changes the password, and deletes", options, async () => {
	const { page, close } = await enter();
	const email = "gus@example.org";

	await server.register(email);
	await signIn(page, email, PASSWORD);
	assert.equal(await page.locator(".session").count(), 2);
	await page.locator(".session:not([data-current]) button").click();
	assert.equal(at(page), "/account?done=1");
	assert.equal(await page.locator(".session").count(), 1);
	await page.fill("#password-current", "wrong");
	await choose(page, NEW_PASSWORD);
	await press(page, "change-password");
	assert.equal(at(page), "/account?error=invalid_credentials");
	assert.equal(await page.textContent("#message"), "The current password is not right.");
	await page.fill("#password-current", PASSWORD);
	await choose(page, NEW_PASSWORD);
	await press(page, "change-password");
	assert.equal(at(page), "/account?done=1");
	assert.equal((await server.post("login", { email, password: PASSWORD })).status, 401);
	assert.equal((await server.post("login", { email, password: NEW_PASSWORD })).status, 200);
	await page.click("summary");
	await page.fill("#delete-current", NEW_PASSWORD);
	await press(page, "delete-account");
	assert.equal(at(page), "/login?done=1");
	assert.equal((await server.post("login", { email, password: NEW_PASSWORD })).status, 401);
	await close();
});

test("signing out everywhere ends every session", options, async () => {
	const { page, close } = await enter();
	const email = "hal@example.org";
	const { refresh_token } = await server.register(email);

	await signIn(page, email, PASSWORD);
	await press(page, "logout-all");
	assert.equal(at(page), "/login?done=1");
	assert.equal((await server.post("refresh", { refresh_token })).status, 403);
	await page.goto("/account");
	assert.match(at(page), /^\/login\?/);
	await close();
});
