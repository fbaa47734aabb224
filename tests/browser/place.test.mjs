/* SPDX-License-Identifier: MIT */
/*
 * Other places and other rules: a site below a path, behind a proxy that strips it, and registrations that wait for
 * their mail (REGISTRATION=verify). Both with and without JavaScript.
 */
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { choose, launch, look, NEW_PASSWORD, PASSWORD, Server, shoot, visit } from "./world.mjs";

const options = { timeout: 120000 };
const BASE = "/shop";
let below, waiting, browser, proxy;

/* /shop/x is the server's /x; whatever lies elsewhere is another application's: 404, and remembered. */
const startProxy = async () => {
	const strays = [];
	const front = createServer((asked, answer) => {
		if (!asked.url.startsWith(`${BASE}/`)) {
			strays.push(`${asked.method} ${asked.url}`);
			answer.writeHead(404).end();
			return;
		}
		const { hostname, port } = new URL(front.target);
		const onward = request({ hostname, port, method: asked.method, path: asked.url.slice(BASE.length), headers: asked.headers }, (back) => {
			answer.writeHead(back.statusCode, back.rawHeaders);
			back.pipe(answer);
		});

		onward.on("error", () => answer.destroy());
		asked.pipe(onward);
	});

	await new Promise((resolve) => front.listen(0, "127.0.0.1", resolve));
	return { front, strays, url: `http://127.0.0.1:${front.address().port}` };
};

before(async () => {
	proxy = await startProxy();
	[below, waiting, browser] = await Promise.all([
		Server.start({ FRONTEND_URL: proxy.url + BASE }), Server.start({ REGISTRATION: "verify" }), launch(),
	]);
	proxy.front.target = below.url;
});
after(async () => {
	await browser?.close();
	await below?.stop();
	await waiting?.stop();
	proxy?.front.closeAllConnections();
	proxy?.front.close();
});

const press = (page, form) => page.click(`form[data-form=${form}] [type=submit]`);
const at = (page) => page.url().slice(proxy.url.length);
const reads = (page, words) => page.getByRole("alert").filter({ hasText: words }).waitFor();

const signIn = async (page, email, password, base = "") => {
	await page.goto(`${base}/login`);
	await page.fill("#identifier", email);
	await page.fill("#password", password);
	await press(page, "login");
};

for (const javaScriptEnabled of [true, false]) {
	const how = javaScriptEnabled ? "with JavaScript" : "without JavaScript";
	const name = javaScriptEnabled ? "script" : "plain";

	test(`below a path: sign up, sign out, forget, reset, change the address, ${how}`, options, async () => {
		const { page, context, seen, close } = await visit(browser, proxy, { javaScriptEnabled });
		const email = `${name}@example.org`;

		await page.goto(`${BASE}/`);
		assert.deepEqual(await page.locator("[href], [src]").evaluateAll((elements) => elements.map(({ href, src }) => href ?? src)
			.filter((address) => !new URL(address).pathname.startsWith("/shop/"))), [], "the start page");
		await page.goto(`${BASE}/account`);
		assert.equal(at(page), `${BASE}/login?return=${BASE}/account`);
		await page.getByRole("link", { name: /Create/ }).first().click();
		await page.fill("#email", email);
		await choose(page, PASSWORD, "#password");
		await press(page, "register");
		await page.waitForURL(`**${BASE}/account`);
		await page.getByText(email).first().waitFor();
		const cookies = Object.fromEntries((await context.cookies()).map((cookie) => [cookie.name, cookie.path]));

		assert.deepEqual(cookies, { "__Host-gb_gate": "/", "__Host-gb_csrf": "/", "__Secure-gb_refresh": `${BASE}/auth/` });
		const verify = (await below.mailed(email, "verify-email")).link;

		assert.ok(verify.startsWith(`${proxy.url}${BASE}/verify-email?token=`));
		await page.goto(verify);
		await press(page, "verify-email");
		await reads(page, /confirmed/);
		await page.goto(`${BASE}/account`);
		await press(page, "logout");
		await page.waitForURL(`**${BASE}/login?done=1`);

		await page.goto(`${BASE}/forgot-password`);
		await page.fill("#email", email);
		await press(page, "forgot-password");
		await reads(page, /./);
		const reset = (await below.mailed(email, "reset-password")).link;

		assert.ok(reset.startsWith(`${proxy.url}${BASE}/reset-password?token=`));
		await page.goto(reset);
		await choose(page, NEW_PASSWORD);
		await press(page, "reset-password");
		await reads(page, /./);
		await signIn(page, email, NEW_PASSWORD, BASE);
		await page.waitForURL(`**${BASE}/account`);
		await page.fill("#new_email", `new.${email}`);
		await page.fill("#email-current", NEW_PASSWORD);
		await press(page, "change-email");
		await page.goto((await below.mailed(`new.${email}`, "change-email")).link);
		await press(page, "change-email-link");
		await reads(page, /./);
		await page.goto(`${BASE}/account`);
		await page.getByText(`new.${email}`).first().waitFor();
		assert.deepEqual(seen.requests.filter((line) => !line.includes(` ${BASE}/`)), []);
		assert.deepEqual(proxy.strays, []);
		await close();
	});

	test(`a registration that waits begins with its link and the password chosen, ${how}`, options, async () => {
		const { page, close } = await visit(browser, waiting, { javaScriptEnabled, expect: [401] });
		const email = `${name}.pending@example.org`;

		await page.goto("/register");
		await page.fill("#email", email);
		await choose(page, PASSWORD, "#password");
		await press(page, "register");
		await reads(page, /./);
		const told = await page.textContent("#message");

		assert.equal((await waiting.post("login", { email, password: PASSWORD })).status, 401, "no account yet");
		const { link } = await waiting.mailed(email, "verify-email");

		await page.goto(link);
		assert.match(await page.textContent("main"), /the password you chose when you registered/i);
		if (javaScriptEnabled) {
			assert.equal(new URL(page.url()).search, "", "the token leaves the address bar");
			for (const width of [360, 1280]) {
				await page.setViewportSize({ width, height: 800 });
				assert.deepEqual(await look(page), []);
				await shoot(page, `verify-email-pending-${width}`);
			}
		}
		await page.fill("#password", "another password altogether");
		await press(page, "verify-email");
		await reads(page, "This is not the password you chose when you registered.");
		assert.equal(await page.getAttribute("#password", "aria-invalid"), "true");
		await page.fill("#password", PASSWORD);
		await press(page, "verify-email");
		await reads(page, /confirmed/);
		await signIn(page, email, PASSWORD);
		await page.waitForURL("**/account");

		/* Somebody else tries the same address: the page says the same, the owner gets a notice without a link. */
		await page.goto("/register");
		await page.fill("#email", email);
		await choose(page, NEW_PASSWORD, "#password");
		await press(page, "register");
		await reads(page, /./);
		assert.equal(await page.textContent("#message"), told);
		await page.goto(link);
		assert.match(await page.textContent("main"), /no longer good/);
		await close();
	});
}
