#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
wycheproof.py FOLDER: makes wycheproof/*.inc, beside this file, from the JSON files of Project Wycheproof's test vectors.

A row { 0, 'k', algorithm, key } is followed by those of the tests under that key: { number, result, message, signature },
base64url all; result is the first letter of valid, invalid or acceptable.
"""
import base64
import json
import os
import sys

HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made by ../wycheproof.py, do not edit. From Project Wycheproof, Copyright Google LLC, Apache-2.0, commit eb35c25e05d1
 * as Debian's source package android-platform-external-boringssl 13.0.0+r24 has it: testvectors/
"""
HASHES = {"SHA-256": 256, "SHA-384": 384, "SHA-512": 512}
FILES = {
	"hmac": ["hmac_sha256", "hmac_sha384", "hmac_sha512"],
	"rsa": ["rsa_signature_2048_sha256", "rsa_signature_2048_sha384", "rsa_signature_2048_sha512", "rsa_signature_3072_sha256",
	    "rsa_signature_3072_sha384", "rsa_signature_3072_sha512", "rsa_signature_4096_sha384", "rsa_signature_4096_sha512"],
	"ecdsa": ["ecdsa_secp256r1_sha256_p1363"],
	"eddsa": ["eddsa"],
}


def encode(text):
	return base64.urlsafe_b64encode(bytes.fromhex(text)).decode().rstrip("=")


def jwk(**members):
	return json.dumps(members, separators=(",", ":")).replace('"', '\\"')


def key_of(kind, name, group, test):
	if kind == "hmac":
		return "HS" + name[-3:], encode(test["key"])
	if kind == "rsa":
		algorithm, n = f"RS{HASHES[group['sha']]}", group["n"].removeprefix("00")
		return algorithm, jwk(kty="RSA", alg=algorithm, n=encode(n), e=encode(group["e"]))
	if kind == "ecdsa":
		point = group["key"]["uncompressed"]
		return "ES256", jwk(kty="EC", alg="ES256", crv="P-256", x=encode(point[2:66]), y=encode(point[66:]))
	return "EdDSA", jwk(kty="OKP", alg="EdDSA", crv="Ed25519", x=encode(group["key"]["pk"]))


def rows(kind, name, folder):
	with open(os.path.join(folder, name + "_test.json")) as file:
		groups = json.load(file)["testGroups"]
	last = None
	for group in groups:
		for test in group["tests"]:
			key = key_of(kind, name, group, test)
			if key != last:
				yield f'{{ 0, \'k\', "{key[0]}", "{key[1]}" }},\n'
				last = key
			yield f'{{ {test["tcId"]}, \'{test["result"][0]}\', "{encode(test["msg"])}", "{encode(test.get("sig", test.get("tag")))}" }},\n'


for kind, names in FILES.items():
	with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "wycheproof", kind + ".inc"), "w") as out:
		out.write(HEAD + " * " + ",\n * ".join(name + "_test.json" for name in names) + ".\n */\n")
		for name in names:
			out.writelines(rows(kind, name, sys.argv[1]))
