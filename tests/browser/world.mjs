/* SPDX-License-Identifier: MIT */
/*
 * world.mjs: the real server (etc/serve, as `make run` starts it) on a free port with a STATE of its own, a real
 * Chromium, and a watch over what pages ask for and say.
 *
 *	BUILD	where the executables are (default: build)
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const build = path.resolve(root, process.env.BUILD ?? "build");
export const programs = path.join(build, "cgi-bin");
export const screenshots = path.join(build, "screenshots");
const require = createRequire(path.join(root, "build/browser/"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

export const PASSWORD = "walnut harbour seven lanterns";
export const NEW_PASSWORD = "granite teapot under nine elms";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];

const freePort = () => new Promise((resolve, reject) => {
	const probe = createServer();

	probe.once("error", reject);
	probe.listen(0, "127.0.0.1", () => {
		const { port } = probe.address();

		probe.close(() => resolve(port));
	});
});

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* The first truthy result, asked for until `seconds` are over. */
export const until = async (ask, what, seconds = 20) => {
	const end = Date.now() + seconds * 1000;

	for (;;) {
		const found = await ask();

		if (found)
			return found;
		assert.ok(Date.now() < end, `in ${seconds} s there was no ${what}`);
		await pause(30);
	}
};

/* The text part of a message, its transfer encoding undone. */
const textOf = (message) => {
	const part = message.slice(message.search(/^Content-Type: text\/plain/mi));
	const head = part.slice(0, part.indexOf("\r\n\r\n"));
	const body = part.slice(head.length + 4).split(/^--/m)[0];

	if (/quoted-printable/i.test(head))
		return Buffer.from(body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), "latin1").toString();
	return /base64/i.test(head) ? Buffer.from(body, "base64").toString() : body;
};

export class Server {
	static async start(settings = {}) {
		const server = new Server();
		const port = await freePort();

		server.state = await mkdtemp(path.join(tmpdir(), "guardbee-browser."));
		server.url = `http://127.0.0.1:${port}`;
		server.output = "";
		server.process = spawn(path.join(root, "etc/serve"), [build], {
			cwd: root,
			stdio: ["ignore", "pipe", "pipe"],
			env: {
				PATH: process.env.PATH, TMPDIR: tmpdir(), PORT: port, STATE: server.state, RATE_LIMITS: "off",
				ARGON2_MEMORY_COST: "7168", ARGON2_TIME_COST: "1", HASH_SLOTS: "4", NOTICE_MAILS: "off", ...settings,
			},
		});
		for (const stream of [server.process.stdout, server.process.stderr])
			stream.on("data", (bytes) => { server.output += bytes; });
		server.ended = new Promise((resolve) => server.process.once("exit", resolve));
		await until(() => {
			assert.equal(server.process.exitCode, null, server.output);
			return server.output.includes("guardbee serves");
		}, "server");
		return server;
	}

	async stop() {
		this.process.kill("SIGTERM");
		await this.ended;
		await rm(this.state, { recursive: true, force: true });
	}

	/* JSON as a program sends it. */
	async post(name, body, token) {
		const answer = await fetch(`${this.url}/auth/${name}`, {
			method: "POST",
			headers: { "Content-Type": "application/json", ...token && { Authorization: `Bearer ${token}` } },
			body: JSON.stringify(body),
		});

		return { status: answer.status, body: answer.status === 204 ? {} : await answer.json() };
	}

	async register(email, more = {}) {
		const answer = await this.post("register", { email, password: PASSWORD, ...more });

		assert.equal(answer.status, 201, JSON.stringify(answer.body));
		return answer.body;
	}

	async mails(email) {
		const folder = path.join(this.state, "mail");
		const names = await readdir(folder).catch(() => []);
		const all = await Promise.all(names.filter((name) => name.endsWith(".eml")).sort()
			.map((name) => readFile(path.join(folder, name), "utf8")));

		return all.filter((message) => new RegExp(`^To: .*${email}`, "mi").test(message)).map(textOf);
	}

	/* { link, code } of the newest mail to an address that holds a link to this page. */
	async mailed(email, page) {
		return until(async () => {
			const text = (await this.mails(email)).filter((mail) => mail.includes(`/${page}?token=`)).pop();

			return text && {
				link: text.match(/^http\S+$/m)[0],
				code: text.match(/^([A-Z0-9]{8}|[A-Z0-9]{4}[ -][A-Z0-9]{4})\r?$/m)?.[1],
			};
		}, `mail with a link to /${page} for ${email}`);
	}
}

export const launch = () => chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: FLAGS });

/* A context of the browser that remembers what went elsewhere and what the console said. */
export const visit = async (browser, server, options = {}) => {
	const { expect = [], ...rest } = options;
	const context = await browser.newContext({ baseURL: server.url, viewport: { width: 1280, height: 800 }, ...rest });
	const seen = { requests: [], foreign: [], said: [] };

	context.setDefaultTimeout(15000);
	context.on("request", (request) => {
		seen.requests.push(`${request.method()} ${new URL(request.url()).pathname}`);
		if (new URL(request.url()).origin !== server.url)
			seen.foreign.push(request.url());
	});
	context.on("console", (message) => seen.said.push(`${message.type()}: ${message.text()} (${message.location().url})`));
	context.on("weberror", (error) => seen.said.push(String(error.error())));
	return {
		context, seen,
		page: await context.newPage(),
		/* Chromium reports every refused fetch; `expect` names the statuses a test provokes. */
		close: async () => {
			const rude = seen.said.filter((line) => !expect.some((status) => line.includes(`status of ${status}`)));

			await context.close();
			assert.deepEqual(seen.foreign, []);
			assert.deepEqual(rude, []);
		},
	};
};

/* Types a new password, both times. */
export const choose = async (page, password, field = "#new_password") => {
	await page.fill(field, password);
	await page.fill("#confirm_password", password);
};

/*
 * What axe-core finds on a page, one line a node. It gives up on contrast where a pseudo element lies behind the
 * text, so the comb (a fifth of its colour's strength) is taken away first; a contrast it cannot tell counts as found.
 */
export const look = async (page, rules = {}) => {
	await page.evaluate(axe);
	const { violations, incomplete } = await page.evaluate((chosen) => {
		const sheet = new CSSStyleSheet();

		sheet.replaceSync("body::before { content: none !important; }");
		document.adoptedStyleSheets = [sheet];
		return globalThis.axe.run(document, { resultTypes: ["violations", "incomplete"], preload: false, rules: chosen });
	}, rules);

	return [...violations, ...incomplete.filter(({ id }) => id === "color-contrast")]
		.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
};

export const shoot = async (page, name) => {
	await mkdir(screenshots, { recursive: true });
	await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
};
