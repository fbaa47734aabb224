// SPDX-License-Identifier: MIT
// jose, jsonwebtoken and fast-jwt of npm. Lines as in peers.c; key: {secret} or {private, public} as PEM, {jwk}, or {jwks} (an address).
import { webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.argv[2] + "/");
globalThis.crypto ??= webcrypto;	// jose asks for it; Debian's node is too old to have it
const jose = await import(require.resolve("jose"));
const jsonwebtoken = require("jsonwebtoken");
const { createSigner, createVerifier } = require("fast-jwt");

async function joseKey(order, half) {
	const { key, alg } = order;
	if (key.jwks)
		return jose.createRemoteJWKSet(new URL(key.jwks));
	if (key.jwk)
		return jose.importJWK(key.jwk, alg);
	if (key.secret)
		return new TextEncoder().encode(key.secret);
	return half === "private" ? jose.importPKCS8(key.private, alg) : jose.importSPKI(key.public, alg);
}

const libraries = {
	jose: {
		async sign(order) {
			return new jose.SignJWT(order.claims).setProtectedHeader({ alg: order.alg, typ: "JWT" }).sign(await joseKey(order, "private"));
		},
		async verify(order) {
			return (await jose.jwtVerify(order.token, await joseKey(order, "public"), { algorithms: [order.alg] })).payload;
		},
	},
	jsonwebtoken: {
		sign: (order) => jsonwebtoken.sign(order.claims, order.key.secret ?? order.key.private, { algorithm: order.alg }),
		verify: (order) => jsonwebtoken.verify(order.token, order.key.secret ?? order.key.public, { algorithms: [order.alg] }),
	},
	"fast-jwt": {
		sign: (order) => createSigner({ key: order.key.secret ?? order.key.private, algorithm: order.alg })(order.claims),
		verify: (order) => createVerifier({ key: order.key.secret ?? order.key.public, algorithms: [order.alg], cache: false })(order.token),
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const order = JSON.parse(line);
	try {
		const result = await libraries[order.library][order.op](order);
		console.log(JSON.stringify(order.op === "sign" ? { token: result } : { claims: result }));
	} catch (error) {
		console.log(JSON.stringify({ refused: String(error.code ?? error.message) }));
	}
}
