# SPDX-License-Identifier: MIT
"""What other programs ask: introspect (RFC 7662), revoke (RFC 7009), jwks.json (RFC 7517)."""
import base64
import hashlib
import os
import time

from harness import Case, base64url, changed, decode, main, over_both


@over_both
class Table(Case):
	def test_methods(self):
		for url, methods in (("/auth/introspect", {"POST"}), ("/auth/revoke", {"POST"}), ("/auth/jwks.json", {"GET", "HEAD"})):
			with self.subTest(url=url):
				answer = self.call("PUT", url)
				self.refused(answer, 405, "method_not_allowed")
				answer = self.call("OPTIONS", url)
				self.assertEqual((answer.status, answer.body), (204, b""))
				self.assertEqual({method.strip() for method in answer.headers["Allow"].split(",")} - {"OPTIONS"}, methods)

	def test_jwks_is_empty_with_a_shared_key_and_may_be_cached(self):
		for method in ("GET", "HEAD"):
			answer = self.expect(self.call(method, "/auth/jwks.json"), 200)
			self.assertEqual(answer.headers["Cache-Control"], "public, max-age=300")
			self.assertEqual(answer.body, b'{"keys":[]}' if method == "GET" else b"")


@over_both
class Introspect(Case):
	settings = {"API_CLIENTS_FILE": "{d}/clients"}

	@classmethod
	def prepare(cls):
		path = os.path.join(cls.server.directory, "clients")
		with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
			out.write("shop:" + hashlib.sha256(b"shop-secret-of-some-length").hexdigest() + "\n")

	def introspect(self, token, client="shop", secret="shop-secret-of-some-length", form=None, **more):
		headers = {}
		if client is not None:
			headers["Authorization"] = "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()
		return self.call("POST", "/auth/introspect", form=form or {"token": token}, headers=headers, **more)

	def test_a_live_token_is_active(self):
		body = self.register()
		for name in ("access_token", "refresh_token"):
			claims = decode(body[name])[1]
			found = self.expect(self.introspect(body[name]), 200).json()
			self.assertIs(found["active"], True)
			self.assertEqual((found["sub"], found["exp"], found["iat"]), (claims["sub"], claims["exp"], claims["iat"]))

	def test_every_bad_token_is_the_same_inactive(self):
		body = self.register()
		now = int(time.time())
		dead = self.register()
		self.expect(self.post("/auth/logout", bearer=dead["access_token"]), 204)
		spent = self.register()["refresh_token"]
		self.refresh(spent)
		for token in ("x", "a.b.c", changed(body["access_token"], "k" * 64), dead["access_token"], dead["refresh_token"], spent,
		    changed(body["access_token"], iat=now - 9, nbf=now - 9, exp=now - 1), changed(body["access_token"], sid=base64url(b"\1" * 16))):
			with self.subTest(token=token[:20]):
				self.assertEqual(self.expect(self.introspect(token), 200).body, b'{"active":false}')
		self.assertIs(self.introspect(body["access_token"]).json()["active"], True)

	def test_a_spent_token_is_not_reuse(self):
		first = self.register()["refresh_token"]
		second = self.refresh(first).json()
		self.introspect(first)
		self.alive(second["access_token"])

	def test_only_known_clients_ask(self):
		token = self.register()["access_token"]
		for client, secret in ((None, ""), ("shop", "wrong"), ("other", "shop-secret-of-some-length"), ("", ""), ("shop", "")):
			with self.subTest(client=client):
				answer = self.introspect(token, client, secret)
				self.assertEqual(self.refused(answer, 401, "invalid_client")["error"], "invalid_client")
				self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Basic"))
		answer = self.call("POST", "/auth/introspect", form={"token": token}, bearer=token)
		self.refused(answer, 401, "invalid_client")

	def test_a_token_is_needed(self):
		answer = self.introspect(None, form={"x": "y"})
		self.assertEqual((answer.status, answer.json()["error"], answer.json()["code"]), (400, "invalid_request", "missing_field"))


class IntrospectWithoutClients(Case):
	def test_nobody_may_ask(self):
		headers = {"Authorization": "Basic " + base64.b64encode(b"shop:secret").decode()}
		self.refused(self.call("POST", "/auth/introspect", form={"token": "x"}, headers=headers), 401, "invalid_client")


@over_both
class Revoke(Case):
	def revoke(self, token, **more):
		return self.call("POST", "/auth/revoke", form={"token": token, **more})

	def test_possession_ends_the_session(self):
		for kind in ("access_token", "refresh_token"):
			for hint in ({}, {"token_type_hint": kind}, {"token_type_hint": "nonsense"}):
				with self.subTest(kind=kind, hint=hint):
					body = self.register()
					self.expect(self.revoke(body[kind], **hint), 200)
					self.dead(body["access_token"])
					self.refused(self.refresh(body["refresh_token"]), 403, "refresh_token_revoked")

	def test_unknown_tokens_are_200_too(self):
		token = self.register()["access_token"]
		for text in ("x", "a.b.c", changed(token, "k" * 64), changed(token, sid=base64url(b"\1" * 16))):
			with self.subTest(text=text[:20]):
				self.expect(self.revoke(text), 200)
		self.alive(token)
		self.expect(self.revoke(token), 200)
		self.expect(self.revoke(token), 200)

	def test_json_is_taken_too(self):
		body = self.register()
		self.expect(self.post("/auth/revoke", {"token": body["access_token"]}), 200)
		self.dead(body["access_token"])

	def test_errors_use_the_words_of_the_rfc(self):
		answer = self.call("POST", "/auth/revoke", form={"x": "y"})
		self.assertEqual((answer.status, answer.json()["error"], answer.json()["code"]), (400, "invalid_request", "missing_field"))
		self.assertEqual(self.post("/auth/revoke", body=b"{", headers={"Content-Type": "application/json"}).json()["error"], "invalid_request")


if __name__ == "__main__":
	main()
