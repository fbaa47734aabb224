/* SPDX-License-Identifier: MIT */
/* What pages may load and give away, what password managers find, and the mode without cookies. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { choose, launch, PASSWORD, Server, shoot, visit } from "./world.mjs";

const options = { timeout: 60000 };
const POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
let server, tokens, browser;

before(async () => {
	[server, tokens, browser] = await Promise.all([Server.start(), Server.start({ COOKIE_MODE: "off" }), launch()]);
});
after(async () => {
	await browser?.close();
	await Promise.all([server?.stop(), tokens?.stop()]);
});

test("every page has the strict policy and keeps what its address holds", options, async () => {
	await server.register("ada@example.org");
	await server.post("forgot-password", { email: "ada@example.org" });
	const { link } = await server.mailed("ada@example.org", "reset-password");
	const pages = [
		["/", "same-origin"], ["/login", "same-origin"], ["/register", "same-origin"], ["/forgot-password", "same-origin"],
		["/reset-password", "same-origin"], ["/verify-email", "same-origin"], ["/change-email", "same-origin"],
		[link.slice(server.url.length), "no-referrer"], ["/reset-password?token=a.b.c", "no-referrer"],
		["/verify-email?token=a.b.c", "no-referrer"], ["/change-email?token=a.b.c", "no-referrer"],
	];

	for (const [path, referrer] of pages) {
		const answer = await fetch(server.url + path);

		assert.equal(answer.status, 200, path);
		assert.equal(answer.headers.get("Content-Security-Policy"), POLICY, path);
		assert.equal(answer.headers.get("Referrer-Policy"), referrer, path);
		assert.equal(answer.headers.get("X-Content-Type-Options"), "nosniff", path);
		assert.match(answer.headers.get("Cache-Control"), path === "/" ? /^no-cache$/ : /^no-store$/, path);
	}
});

test("nothing from an address becomes markup", options, async () => {
	const bad = encodeURIComponent("\"><svg/onload=document.title='owned'>");

	for (const path of [`/reset-password?token=${bad}`, `/reset-password?token=${bad}.${bad}.${bad}`, `/login?error=${bad}`,
		`/login?return=/${bad}`, `/login?return=javascript:alert(1)`, `/verify-email?token=${bad}`, `/change-email?token=${bad}`]) {
		const body = await (await fetch(server.url + path)).text();

		assert.doesNotMatch(body, /<svg\/|javascript:/, path);
	}
});

test("no page can be sent on to another site", options, async () => {
	const { page, close } = await visit(browser, server);

	await server.register("bob@example.org");
	for (const target of ["//evil.example/", "https://evil.example/", "/\\evil.example", "/%09/evil.example"]) {
		await page.context().clearCookies();
		await page.goto(`/login?return=${encodeURIComponent(target)}`);
		await page.fill("#identifier", "bob@example.org");
		await page.fill("#password", PASSWORD);
		await Promise.all([page.waitForURL((url) => url.pathname !== "/login"), page.click("[type=submit]")]);
		assert.equal(new URL(page.url()).origin, server.url, target);
	}
	await close();
});

test("password managers find what they look for", options, async () => {
	const { page, close } = await visit(browser, server, { javaScriptEnabled: false });
	const fields = async (path) => {
		await page.goto(path);
		return page.locator("main input:not([type=hidden])").evaluateAll((inputs) =>
			inputs.map((input) => `${input.autocomplete} ${input.type}`));
	};

	await server.register("carol@example.org");
	await server.post("forgot-password", { email: "carol@example.org" });
	assert.deepEqual(await fields("/login"), ["username email", "current-password password"]);
	assert.deepEqual(await fields("/register"), ["username email", "nickname text", "new-password password", "new-password password"]);
	assert.deepEqual(await fields("/reset-password"), ["username email", "one-time-code text", "new-password password", "new-password password"]);
	assert.deepEqual(await fields((await server.mailed("carol@example.org", "reset-password")).link),
		["username email", "new-password password", "new-password password"]);
	assert.equal(await page.inputValue("[autocomplete=username]"), "carol@example.org");
	await close();
});

test("a theme is a few variables: below them no colour has a name, and each of them shows", options, async () => {
	const { page, close } = await visit(browser, server, { reducedMotion: "reduce" });
	const sheet = await (await fetch(`${server.url}/style.css`)).text();
	const rules = sheet.replace(/\/\*.*?\*\//gs, "").replace(/:root \{.*?\}/gs, "");
	const variables = [...new Set(sheet.match(/--[a-z-]+(?=: #)/g))];

	assert.equal((sheet.match(/:root \{/g) ?? []).length, 2, "light and dark");
	assert.deepEqual(rules.match(/#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch|lab)a?\(|:[^;{]*\b(white|black|red|green|blue|gr[ae]y|yellow|orange)\b/gi), null);
	assert.ok(variables.length > 8 && variables.length < 20, variables.join());
	for (const variable of variables)
		assert.match(rules, new RegExp(`var\\(${variable}\\)`), variable);
	await page.goto("/login");
	const colours = () => page.evaluate(() => ["body", "button", "a[href$=register]"].map((name) => getComputedStyle(document.querySelector(name)))
		.map(({ color, backgroundColor }) => `${color} ${backgroundColor}`));
	const before = await colours();

	await page.emulateMedia({ colorScheme: "dark" });
	(await colours()).forEach((colour, i) => assert.notEqual(colour, before[i]));
	await close();
});

test("without cookies and without JavaScript pages say what they need", options, async () => {
	const { page, close } = await visit(browser, tokens, { javaScriptEnabled: false });

	for (const path of ["/login", "/register", "/account"]) {
		await page.goto(path);
		assert.equal(await page.locator("noscript .message").isVisible(), true, path);
		assert.equal(await page.locator("main form:visible").count(), 0, path);
		await shoot(page, `token-mode${path.replace("/", "-")}-plain`);
	}
	await page.goto("/forgot-password");
	assert.equal(await page.locator("noscript .message").count(), 0);
	assert.equal(await page.locator("main form:visible").count(), 1);
	await close();
});

test("without cookies too a device is named in the language of the page", options, async () => {
	for (const [locale, name] of [["es-ES", "Chrome en Linux"], ["de-DE", "Chrome auf Linux"], ["en-GB", "Chrome on Linux"]]) {
		const { page, close } = await visit(browser, tokens, { locale });

		await page.goto("/register");
		await page.fill("#email", `erik.${locale.toLowerCase()}@example.org`);
		await choose(page, PASSWORD, "#password");
		await page.click("[type=submit]");
		await page.waitForURL("**/account");
		await page.locator(".session .device", { hasText: name }).waitFor();
		await tokens.post("login", { email: `erik.${locale.toLowerCase()}@example.org`, password: PASSWORD });
		await page.reload();
		await page.locator(".session", { hasText: { "es-ES": "Dispositivo desconocido", "de-DE": "Unbekanntes Gerät", "en-GB": "Unknown device" }[locale] }).waitFor();
		await close();
	}
});

test("without cookies the tab keeps the tokens, over pages and refreshes", options, async () => {
	const { page, context, close, seen } = await visit(browser, tokens);
	const refreshes = () => seen.requests.filter((line) => line === "POST /auth/refresh").length;
	const age = () => page.evaluate(() => {
		const held = JSON.parse(sessionStorage.getItem("guardbee"));

		sessionStorage.setItem("guardbee", JSON.stringify({ ...held, due: 1 }));
	});

	await page.goto("/register");
	await page.getByLabel("E-mail address").fill("dora@example.org");
	await choose(page, PASSWORD, "#password");
	await page.click("[type=submit]");
	await page.waitForURL("**/account");
	await page.locator("[data-me=email]", { hasText: "dora@example.org" }).waitFor();
	assert.deepEqual(await context.cookies(), []);
	assert.equal(await page.locator(".session").count(), 1);
	assert.match(await page.textContent(".session .device"), /Chrom/);
	await shoot(page, "token-mode-account-script");

	/* me and sessions are asked for side by side: one refresh serves both. */
	await age();
	await page.reload();
	await page.locator("[data-me=email]", { hasText: "dora@example.org" }).waitFor();
	assert.equal(refreshes(), 1);

	const before = await page.evaluate(() => JSON.parse(sessionStorage.getItem("guardbee")).refresh_token);

	await page.click("form[data-form=logout] [type=submit]");
	await page.waitForURL("**/login?done=1");
	assert.equal(await page.evaluate(() => sessionStorage.getItem("guardbee")), null);
	assert.equal((await tokens.post("refresh", { refresh_token: before })).status, 403);
	await page.goto("/account");
	await page.waitForURL("**/login?return=*");
	await close();
});
