/* SPDX-License-Identifier: MIT */
/* A new password is typed twice, on every page that takes one: with and without JavaScript, at phone and desktop width. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { choose, launch, look, NEW_PASSWORD, PASSWORD, Server, shoot, visit } from "./world.mjs";

const options = { timeout: 120000 };
let server, browser;

before(async () => {
	[server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

const press = (page, form) => page.click(`form[data-form=${form}] [type=submit]`);
const opens = async (email, password) => (await server.post("login", { email, password })).status;

const signIn = async (page, email, password) => {
	await page.goto("/login");
	await page.fill("#identifier", email);
	await page.fill("#password", password);
	await press(page, "login");
	await page.waitForURL("**/account*");
};

const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/* The field, and what stands beside it. */
const refused = async (page, words) => {
	await page.locator("#confirm-mistake", { hasText: words }).waitFor();
	assert.equal(await page.getAttribute("#confirm_password", "aria-invalid"), "true");
	assert.equal(await page.getAttribute("#confirm_password", "aria-describedby"), "confirm-mistake");
	assert.equal(await wide(page), 0);
};

/* [form, new password's field, how the page is reached, what it says, where success shows] */
const places = (email) => [
	["register", "#password", (page) => page.goto("/register"), "The two passwords are not the same.",
		async (page) => {
			await page.waitForURL("**/account*");
			assert.equal(await opens(email, NEW_PASSWORD), 200);
		}],
	["change-password", "#new_password", (page) => signIn(page, email, PASSWORD), "The two new passwords are not the same.",
		async (page) => {
			await page.getByText(/Your password is changed|^Done\./).waitFor();
			assert.equal(await opens(email, NEW_PASSWORD), 200);
		}],
	["reset-password", "#new_password", async (page) => {
		await server.post("forgot-password", { email });
		await page.goto((await server.mailed(email, "reset-password")).link);
	}, "The two new passwords are not the same.",
		async (page) => {
			await page.getByText("Your password is changed.").waitFor();
			assert.equal(await opens(email, NEW_PASSWORD), 200);
		}],
];

const fillRest = async (page, form, email) => {
	if (form === "register")
		await page.fill("#email", email);
	if (form === "change-password")
		await page.fill("#password-current", PASSWORD);
};

for (const width of [360, 1280])
	for (const javaScriptEnabled of [true, false])
		for (const at of [0, 1, 2])
			test(`${places("")[at][0]}, ${width} wide, ${javaScriptEnabled ? "with" : "without"} JavaScript`, options, async () => {
				const { page, close, seen } = await visit(browser, server,
					{ javaScriptEnabled, viewport: { width, height: 800 }, expect: javaScriptEnabled ? [] : [400] });
				const email = `twice-${at}-${width}-${javaScriptEnabled}@example.org`;
				const [form, field, reach, words, succeeded] = places(email)[at];

				if (form !== "register")
					await server.register(email);
				await reach(page);
				for (const each of [field, "#confirm_password"]) {
					assert.equal(await page.getAttribute(each, "autocomplete"), "new-password");
					assert.equal(await page.getAttribute(each, "type"), "password");
				}
				assert.equal(await page.isVisible("#confirm-mistake"), false);
				if (javaScriptEnabled)
					for (const each of [field, "#confirm_password"])
						assert.ok(await page.locator(each).evaluate((input) => input.dispatchEvent(new ClipboardEvent("paste",
							{ bubbles: true, cancelable: true }))), "may be pasted into");
				await fillRest(page, form, email);
				await choose(page, NEW_PASSWORD, field);
				await page.fill("#confirm_password", `${NEW_PASSWORD}!`);
				if (javaScriptEnabled) {
					/* Said on leaving the field; typing on takes it back; nothing is sent for it. */
					const before = seen.requests.length;

					await page.press("#confirm_password", "Tab");
					await refused(page, words);
					await shoot(page, `confirm-${form}-${width}`);
					assert.deepEqual(await look(page), []);
					await page.press("#confirm_password", "End");
					await page.press("#confirm_password", "Backspace");
					await page.locator("#confirm-mistake").waitFor({ state: "hidden" });
					assert.equal(await page.getAttribute("#confirm_password", "aria-invalid"), null);
					await page.fill(field, PASSWORD);
					await page.press(field, "Tab");
					await refused(page, words);
					await press(page, form);
					await refused(page, words);
					assert.equal(await page.evaluate(() => document.activeElement.id), "confirm_password");
					assert.deepEqual(seen.requests.slice(before).filter((line) => line.startsWith("POST")), []);

					/* One button shows both. */
					const shown = () => Promise.all([field, "#confirm_password"].map((each) => page.getAttribute(each, "type")));
					const button = page.locator(`form[data-form=${form}] button[aria-controls~=confirm_password]`);

					assert.equal(await button.count(), 1);
					await button.click();
					assert.deepEqual(await shown(), ["text", "text"]);
					await button.click();
					assert.deepEqual(await shown(), ["password", "password"]);
				} else {
					await press(page, form);
					await refused(page, words);
					assert.equal(await page.locator("#message", { hasText: words }).count(), 1);
					await shoot(page, `confirm-${form}-${width}-plain`);
				}
				assert.equal(await opens(email, NEW_PASSWORD), 401, "nothing has changed");
				await fillRest(page, form, email);
				await choose(page, NEW_PASSWORD, field);
				await press(page, form);
				await succeeded(page);
				await close();
			});
