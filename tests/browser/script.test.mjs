/* SPDX-License-Identifier: MIT */
/* The main job in a browser with JavaScript and cookies: sign up, stay, sign out, get back in. No page is reloaded. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { choose, launch, NEW_PASSWORD, PASSWORD, pause, Server, until, visit } from "./world.mjs";

const options = { timeout: 60000 };
let server, browser;

before(async () => {
	[server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

const alert = (page, words) => page.getByRole("alert").filter({ hasText: words }).waitFor();
const press = (page, form) => page.click(`form[data-form=${form}] [type=submit]`);
const documents = (seen, path) => seen.requests.filter((line) => line === `GET ${path}`).length;

const signIn = async (page, name, password, at = "/login") => {
	await page.goto(at);
	await page.getByLabel("E-mail address or user name").fill(name);
	await page.getByLabel("Password", { exact: true }).fill(password);
	await press(page, "login");
};

test("a stranger registers, is shown by name, refreshes and signs out", options, async () => {
	const { page, close, seen } = await visit(browser, server);

	await page.goto("/");
	await page.getByText("You are not signed in.").waitFor();
	await page.getByRole("link", { name: "Create an account" }).click();
	await page.getByLabel("E-mail address").fill("ada@example.org");
	await page.getByLabel("User name (optional)").fill("ada");
	await choose(page, PASSWORD, "#password");
	await press(page, "register");
	await page.waitForURL("**/account");
	await page.getByText("ada@example.org").waitFor();
	await page.goto("/");
	await page.getByText("You are signed in as ada.").waitFor();
	await page.getByRole("button", { name: "POST /auth/refresh" }).click();
	await page.locator("#answer", { hasText: "\"expires_in\"" }).waitFor();
	assert.equal(await page.evaluate(() => sessionStorage.length), 0, "no token where a script can read it");
	assert.doesNotMatch(await page.locator("#answer").textContent(), /refresh_token/);
	await page.getByRole("button", { name: "GET /auth/me" }).click();
	await page.locator("#answer", { hasText: "ada@example.org" }).waitFor();
	await page.getByRole("button", { name: "Sign out" }).click();
	await page.getByText("You are not signed in.").waitFor();
	await page.goto("/account");
	assert.equal(new URL(page.url()).pathname, "/login");
	assert.ok(seen.requests.includes("POST /auth/register"));
	await close();
});

test("a wrong password is told at the field, the right one leads back", options, async () => {
	const { page, close, seen } = await visit(browser, server, { expect: [401] });

	await server.register("bob@example.org", { username: "bobby" });
	await signIn(page, "bobby", "not the password", "/login?return=%2F%3Fback%3D1");
	await alert(page, "The name or the password is not right.");
	assert.equal(await page.evaluate(() => document.activeElement.id), "password");
	assert.equal(await page.getAttribute("#password", "aria-invalid"), "true");
	assert.equal(await page.getAttribute("#password", "aria-describedby"), "message");
	assert.equal(documents(seen, "/login"), 1, "no reload");
	await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await press(page, "login");
	await page.waitForURL("**/?back=1");
	await close();
});

test("a password can be looked at, and is hidden again when sent", options, async () => {
	const { page, close } = await visit(browser, server, { expect: [401] });

	await signIn(page, "nobody@example.org", "something");
	await alert(page, "not right");
	await page.getByRole("button", { name: "Show password" }).click();
	assert.equal(await page.getAttribute("#password", "type"), "text");
	assert.equal(await page.getByRole("button", { name: "Show password" }).getAttribute("aria-pressed"), "true");
	await press(page, "login");
	await alert(page, "not right");
	assert.equal(await page.getAttribute("#password", "type"), "password");
	await close();
});

test("strength is judged while typing, and nothing is sent for it", options, async () => {
	const { page, close, seen } = await visit(browser, server);
	const says = async (password, word) => {
		await page.getByLabel("Password", { exact: true }).fill(password);
		await page.locator(".strength", { hasText: word }).waitFor();
	};

	await page.goto("/register");
	await page.getByLabel("E-mail address").fill("marguerite@example.org");
	await says("abc", "Too short");
	const before = seen.requests.length;

	await says("Password1", "Weak");
	await says("marguerite99", "Weak");
	await says("aaaaaaaaaaaa", "Weak");
	await says("12345678901", "Weak");
	await says("v7kq2xd9", "Good");
	await says(PASSWORD, "Strong");
	assert.deepEqual(seen.requests.slice(before), []);
	await close();
});

test("the server has the last word on a password", options, async () => {
	const { page, close } = await visit(browser, server, { expect: [422, 409] });

	await page.goto("/register");
	await page.getByLabel("E-mail address").fill("carol@example.org");
	await choose(page, "short", "#password");
	await press(page, "register");
	await alert(page, "It needs at least 8 characters.");
	assert.equal(await page.evaluate(() => document.activeElement.id), "password");
	assert.equal(await page.getAttribute("#password", "aria-describedby"), "password-hint message");
	await server.register("carol@example.org");
	await choose(page, PASSWORD, "#password");
	await press(page, "register");
	await alert(page, "There is an account with this address or name already.");
	assert.equal(await page.evaluate(() => document.activeElement.id), "email");
	assert.equal(await page.getAttribute("#password", "aria-describedby"), "password-hint");
	await close();
});

test("forgotten: the mailed link leaves the address bar, the new password works, the old session is dead", options, async () => {
	const { page, context, close, seen } = await visit(browser, server, { expect: [422] });
	const email = "dora@example.org";

	await server.register(email);
	await signIn(page, email, PASSWORD);
	await page.waitForURL("**/account");
	const other = await context.newPage();

	await other.goto("/forgot-password");
	await other.getByLabel("E-mail address").fill(email);
	await press(other, "forgot-password");
	await alert(other, "a mail is on its way");
	const { link } = await server.mailed(email, "reset-password");

	await other.goto(link);
	assert.equal(new URL(other.url()).search, "");
	assert.equal(await other.evaluate(() => performance.getEntriesByType("navigation").length && history.length), 3);
	await choose(other, "password");
	await press(other, "reset-password");
	await alert(other, "Many people use this password");
	await choose(other, NEW_PASSWORD);
	await press(other, "reset-password");
	await alert(other, "Your password is changed.");
	assert.equal(documents(seen, "/reset-password"), 1);
	await page.goto("/account");
	assert.equal(new URL(page.url()).pathname, "/login", "every session has ended");
	await other.getByRole("link", { name: "Sign in" }).click();
	await signIn(other, email, NEW_PASSWORD);
	await other.waitForURL("**/account");
	await other.goto(link);
	await other.getByText("This link is no longer good.").waitFor();
	await close();
});

test("a typed code serves where the mail opens elsewhere", options, async () => {
	const { page, close } = await visit(browser, server, { expect: [400] });
	const email = "erik@example.org";

	await server.register(email);
	await server.post("forgot-password", { email });
	const { code } = await server.mailed(email, "reset-password");

	assert.ok(code, "a code in the mail");
	await page.goto("/forgot-password");
	await page.getByRole("link", { name: "Have a code already?" }).click();
	await page.getByLabel("E-mail address").fill(email);
	await page.getByLabel("Code from the mail").fill("XXXXXXXX");
	await choose(page, NEW_PASSWORD);
	await press(page, "reset-password");
	await alert(page, "The link or code is not good.");
	assert.equal(await page.evaluate(() => document.activeElement.id), "code");
	await page.getByLabel("Code from the mail").fill(code);
	await press(page, "reset-password");
	await alert(page, "Your password is changed.");
	await close();
});

test("an address is confirmed by its link, and asked for again", options, async () => {
	const { page, close } = await visit(browser, server);
	const email = "fay@example.org";

	await server.register(email);
	await signIn(page, email, PASSWORD);
	await page.waitForURL("**/account");
	await page.getByText("not confirmed yet").waitFor();
	await page.getByRole("button", { name: "Send the confirmation again" }).click();
	await alert(page, "A new confirmation mail is on its way.");
	await page.goto((await server.mailed(email, "verify-email")).link);
	assert.equal(new URL(page.url()).search, "");
	await press(page, "verify-email");
	await alert(page, "Your address is confirmed.");
	await page.getByRole("link", { name: "Go to your account" }).click();
	await page.locator("[data-if=email_verified]:not([hidden])").waitFor();
	await close();
});

test("the account page changes password and address, ends sessions, and deletes", options, async () => {
	const { page, close } = await visit(browser, server, { expect: [401, 422] });
	const email = "gus@example.org";

	await server.register(email);
	await server.post("login", { email, password: PASSWORD });
	await signIn(page, email, PASSWORD);
	await page.waitForURL("**/account");
	const rows = page.locator(".session");

	assert.equal(await rows.count(), 3);
	assert.equal(await page.locator(".session[data-current]").count(), 1);
	await page.locator(".session:not([data-current]) button").first().click();
	await alert(page, "The session is ended.");
	assert.equal(await rows.count(), 2);

	const change = page.locator("form[data-form=change-password]");

	await change.getByLabel("Current password").fill("wrong");
	await choose(page, NEW_PASSWORD);
	await press(page, "change-password");
	await alert(page, "The current password is not right.");
	assert.equal(await page.evaluate(() => document.activeElement.id), "password-current");
	await change.getByLabel("Current password").fill(PASSWORD);
	await press(page, "change-password");
	await alert(page, "Your password is changed.");
	assert.equal(await rows.count(), 1);

	const move = page.locator("form[data-form=change-email]");

	await move.getByLabel("New e-mail address").fill("gustav@example.org");
	await move.getByLabel("Current password").fill(NEW_PASSWORD);
	await press(page, "change-email");
	await alert(page, "Open the link we have sent to the new address.");
	const { link } = await server.mailed("gustav@example.org", "change-email");

	await page.goto(link);
	await page.getByText("gustav@example.org").waitFor();
	await press(page, "change-email-link");
	await alert(page, "Your account has its new address.");
	await page.goto("/account");
	await page.locator("[data-me=email]", { hasText: "gustav@example.org" }).waitFor();

	await page.click("summary");
	await page.locator("form[data-form=delete-account]").getByLabel("Current password").fill(NEW_PASSWORD);
	await press(page, "delete-account");
	await page.waitForURL("**/login?done=1");
	assert.equal((await server.post("login", { email: "gustav@example.org", password: NEW_PASSWORD })).status, 401);
	await close();
});

test("an ended session sends its page to the sign-in, and back", options, async () => {
	const { page, close } = await visit(browser, server, { expect: [401] });
	const email = "hal@example.org";

	await server.register(email);
	await signIn(page, email, PASSWORD);
	await page.waitForURL("**/account");
	const { access_token } = (await server.post("login", { email, password: PASSWORD })).body;

	assert.equal((await server.post("logout", { all: true }, access_token)).status, 204);
	await page.locator("form[data-form=change-password]").getByLabel("Current password").fill(PASSWORD);
	await choose(page, NEW_PASSWORD);
	await press(page, "change-password");
	await page.waitForURL("**/login?*");
	await alert(page, "Your session has ended. Please sign in again.");
	await page.getByLabel("E-mail address or user name").fill(email);
	await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await press(page, "login");
	await page.waitForURL("**/account");
	await close();
});

test("two tabs refresh one after the other, and both stay signed in", options, async () => {
	const { page, context, close, seen } = await visit(browser, server);
	const email = "ivy@example.org";
	const refreshes = () => seen.requests.filter((line) => line === "POST /auth/refresh").length;

	await server.register(email);
	await signIn(page, email, PASSWORD, "/login?return=%2F");
	await page.getByText("You are signed in as ivy@example.org.").waitFor();
	const second = await context.newPage();

	await second.goto("/");
	await second.getByText("You are signed in as").waitFor();
	assert.equal(refreshes(), 0, "not due yet");
	/* Slow enough that both tabs are at it together. */
	await context.route("**/auth/refresh", async (route) => {
		await pause(1500);
		await route.continue();
	});
	await page.evaluate(() => localStorage.setItem("guardbee-due", "1"));
	await Promise.all([page.reload(), second.reload()]);
	await until(() => refreshes() > 0, "refresh");
	await Promise.all([page, second].map((tab) => tab.getByText("You are signed in as").waitFor()));
	await until(() => page.evaluate(() => Number(localStorage.getItem("guardbee-due")) > Date.now()), "end of the refresh");
	/* One, as a rule. A second is no harm: what one tab stores reaches the other's process a moment after the lock. */
	assert.ok(refreshes() <= 2, "at most one a tab");
	await Promise.all([page.reload(), second.reload()]);
	await Promise.all([page, second].map((tab) => tab.getByText("You are signed in as ivy@example.org.").waitFor()));
	await close();
});

test("a language is the browser's", options, async () => {
	const { page, close } = await visit(browser, server, { locale: "es-ES", expect: [401] });

	await page.goto("/");
	await page.getByText("No ha iniciado sesión.").waitFor();
	assert.equal(await page.getAttribute("html", "lang"), "es");
	await page.goto("/login");
	await page.getByLabel("Correo electrónico o nombre de usuario").fill("x@example.org");
	await page.getByLabel("Contraseña", { exact: true }).fill("nada");
	await press(page, "login");
	await alert(page, "El nombre o la contraseña no es correcto.");
	await close();
});
