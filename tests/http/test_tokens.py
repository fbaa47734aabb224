# SPDX-License-Identifier: MIT
"""Tokens as a client sees them: the claims of the contract's table, and what each door refuses."""
import base64
import hashlib
import time

from harness import Case, KEY, PASSWORD, base64url, changed, code_of, decode, derived_key, from_base64url, main, over_both, sign

ACCESS = {"sub", "id", "iat", "nbf", "exp", "jti", "type", "fresh", "sid", "email", "email_verified"}
REFRESH = {"sub", "id", "iat", "nbf", "exp", "jti", "type", "fresh", "sid"}


@over_both
class Claims(Case):
	settings = {"EXPIRES_TOKEN_SESSION": "7", "API_JWT_REFRESH_EXPIRY_TIME": "11"}

	def test_the_answer_of_register_and_login(self):
		email = self.email()
		for body in (self.register(email, username=f"maja{time.monotonic_ns()}"), self.login(email)):
			self.assertEqual(set(body), {"access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in", "user"})
			self.assertEqual((body["token_type"], body["expires_in"], body["refresh_expires_in"]), ("Bearer", 420, 660))
			self.assertEqual(set(body["user"]), {"id", "email", "email_verified", "username", "groups"})
			self.assertEqual((body["user"]["email"], body["user"]["email_verified"], body["user"]["groups"]), (email, False, []))

	def test_the_answer_of_refresh_holds_no_user(self):
		body = self.expect(self.refresh(self.register()["refresh_token"]), 200).json()
		self.assertEqual(set(body), {"access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in"})

	def test_the_header_is_alg_and_typ(self):
		body = self.register()
		for token in (body["access_token"], body["refresh_token"]):
			self.assertEqual(decode(token)[0], {"alg": "HS256", "typ": "JWT"})

	def test_claims_of_an_access_token_are_exactly_the_table(self):
		before = int(time.time())
		body = self.register()
		claims = decode(body["access_token"])[1]
		self.assertEqual(set(claims), ACCESS)
		for name in ("iat", "nbf", "exp"):
			self.assertIs(type(claims[name]), int)
		self.assertTrue(before <= claims["iat"] <= int(time.time()))
		self.assertEqual((claims["nbf"], claims["exp"]), (claims["iat"], claims["iat"] + 420))
		self.assertEqual((claims["type"], claims["fresh"], claims["email_verified"]), ("access", True, False))
		self.assertEqual((claims["sub"], claims["id"]), (body["user"]["id"], body["user"]["id"]))
		self.assertRegex(claims["sub"], "^[1-9][0-9]*$")
		self.assertLessEqual(int(claims["sub"]), 2 ** 53 - 1)
		for name in ("sid", "jti"):
			self.assertEqual(len(from_base64url(claims[name])), 16)

	def test_claims_of_a_refresh_token_are_exactly_the_table(self):
		body = self.register()
		access, refresh = decode(body["access_token"])[1], decode(body["refresh_token"])[1]
		self.assertEqual(set(refresh), REFRESH)
		self.assertEqual((refresh["type"], refresh["fresh"], refresh["sid"], refresh["sub"], refresh["id"]),
		    ("refresh", False, access["sid"], access["sub"], access["sub"]))
		self.assertEqual(refresh["exp"], refresh["iat"] + 660)
		self.assertEqual(len(refresh["jti"]), 32)

	def test_fresh_is_true_at_login_and_false_after_refresh(self):
		body = self.register()
		again = self.refresh(body["refresh_token"]).json()
		self.assertEqual([decode(token)[1]["fresh"] for token in (body["access_token"], again["access_token"])], [True, False])
		self.assertEqual(decode(again["access_token"])[1]["sid"], decode(body["access_token"])[1]["sid"])
		self.assertNotEqual(decode(again["access_token"])[1]["jti"], decode(body["access_token"])[1]["jti"])

	def test_tokens_are_signed_as_the_contract_says(self):
		body = self.register()
		self.assertEqual(changed(body["access_token"], KEY).rsplit(".", 1)[0].count("."), 1)
		for token, key in ((body["access_token"], KEY), (body["refresh_token"], derived_key("refresh"))):
			header, claims, _ = token.split(".")
			self.assertEqual(sign(from_base64url(claims), key, from_base64url(header)), token)

	def test_username_and_groups_are_there_if_any(self):
		name = f"willy{time.monotonic_ns() % 10 ** 9}"
		email = self.email()
		self.assertEqual(set(decode(self.register(email, username=name)["access_token"])[1]), ACCESS | {"username"})
		self.assertEqual(self.server.command("user", "set", name, "groups=editors,staff").returncode, 0)
		body = self.login(email)
		claims = decode(body["access_token"])[1]
		self.assertEqual(set(claims), ACCESS | {"username", "groups"})
		self.assertEqual((claims["username"], claims["groups"], body["user"]["groups"]), (name, ["editors", "staff"], ["editors", "staff"]))

	def test_me_says_what_the_account_is(self):
		email = self.email()
		body = self.register(email)
		me = self.expect(self.me(body["access_token"]), 200).json()
		self.assertEqual(set(me), {"id", "email", "email_verified", "username", "groups", "created_at", "session_id"})
		self.assertEqual((me["id"], me["email"], me["session_id"]), (body["user"]["id"], email, decode(body["access_token"])[1]["sid"]))
		self.assertIs(type(me["created_at"]), int)


class NamedIssuer(Case):
	settings = {"API_JWT_ISSUER": "https://bees.example", "API_JWT_AUDIENCE": "hive", "API_JWT_LEEWAY": "30"}

	def test_issuer_and_audience_are_written(self):
		body = self.register()
		for token, claims in ((body["access_token"], ACCESS), (body["refresh_token"], REFRESH)):
			found = decode(token)[1]
			self.assertEqual(set(found), claims | {"iss", "aud"})
			self.assertEqual((found["iss"], found["aud"]), ("https://bees.example", "hive"))

	def test_issuer_and_audience_are_demanded(self):
		token = self.register()["access_token"]
		self.expect(self.me(changed(token)), 200)
		for other in ({"iss": None}, {"iss": "https://bees.example/"}, {"iss": "https://bees"}, {"iss": ["https://bees.example"]}, {"aud": None},
		    {"aud": "hives"}, {"aud": []}, {"aud": ["other"]}, {"aud": "Hive"}):
			with self.subTest(other=other):
				self.refused(self.me(changed(token, **other)), 401, "token_invalid")
		self.expect(self.me(changed(token, aud=["other", "hive"])), 200)

	def test_leeway_forgives_thirty_seconds(self):
		body = self.register()
		now = int(time.time())
		token = body["access_token"]
		self.expect(self.me(changed(token, iat=now - 100, nbf=now - 100, exp=now - 20)), 200)
		self.refused(self.me(changed(token, iat=now - 100, nbf=now - 100, exp=now - 40)), 401, "token_expired")
		self.expect(self.me(changed(token, nbf=now + 20)), 200)
		self.refused(self.me(changed(token, nbf=now + 60)), 401, "token_invalid")


@over_both
class Doors(Case):
	"""What is not a live access token is refused at me, and each purpose keeps to its own door."""
	def test_a_good_token_opens(self):
		token = self.register()["access_token"]
		for scheme in ("Bearer", "bearer", "BEARER"):
			self.expect(self.get("/auth/me", headers={"Authorization": f"{scheme} {token}"}), 200)
		self.expect(self.me(changed(token)), 200)

	def test_www_authenticate_names_the_error_of_a_bad_bearer_only(self):
		missing = self.get("/auth/me")
		self.refused(missing, 401, "token_missing")
		self.assertTrue(missing.headers["WWW-Authenticate"].startswith("Bearer"))
		self.assertNotIn("error=", missing.headers["WWW-Authenticate"])
		bad = self.me("bad")
		self.refused(bad, 401, "token_invalid")
		self.assertIn('error="invalid_token"', bad.headers["WWW-Authenticate"])
		login = self.post("/auth/login", {"email": "nobody@example.org", "password": "x"})
		self.refused(login, 401, "invalid_credentials")
		self.assertNotIn("error=", login.headers["WWW-Authenticate"])

	def test_an_expired_token_says_so(self):
		now = int(time.time())
		answer = self.me(changed(self.register()["access_token"], iat=now - 9, nbf=now - 9, exp=now - 1))
		body = self.refused(answer, 401, "token_expired")
		self.assertEqual(body, {"error": "Token has expired", "status": 401, "code": "token_expired"})
		self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"])

	def test_headers_that_are_not_one_bearer_token(self):
		token = self.register()["access_token"]
		for value in ("", "Basic " + base64.b64encode(b"a:b").decode(), "Token " + token, token):
			with self.subTest(value=value[:30]):
				self.refused(self.get("/auth/me", headers={"Authorization": value}), 401, "token_missing")
		for value in ("Bearer", "Bearer ", f"Bearer {token}, Bearer {token}", f"Bearer {token} x", f"Bearer {token},", f"Bearer\t{token}",
		    f"Bearer {token}=", f"Bearer {token}%2E"):
			with self.subTest(value=value[-30:]):
				answer = self.get("/auth/me", headers={"Authorization": value})
				self.assertEqual(answer.status, 401)
				self.assertIn(code_of(answer), ("token_invalid", "token_missing"))
		answer = self.server.request("GET", "/auth/me", None, [("Authorization", "Bearer " + token)] * 2)
		self.refused(answer, 401, "token_invalid")

	def test_a_token_in_the_query_or_body_is_not_looked_at(self):
		token = self.register()["access_token"]
		self.refused(self.get("/auth/me?access_token=" + token), 401, "token_missing")
		self.refused(self.get("/auth/me?token=" + token), 401, "token_missing")

	def test_each_purpose_keeps_to_its_door(self):
		body = self.register()
		access, refresh = body["access_token"], body["refresh_token"]
		self.refused(self.me(refresh), 401, "token_invalid")
		self.refused(self.refresh(access), 401, "token_invalid")
		self.refused(self.me(changed(access, derived_key("refresh"))), 401, "token_invalid")
		self.refused(self.me(changed(access, KEY, type="refresh")), 401, "token_invalid")
		self.refused(self.refresh(changed(refresh, KEY)), 401, "token_invalid")
		self.refused(self.refresh(changed(refresh, KEY, type="access")), 401, "token_invalid")
		self.refused(self.refresh(changed(refresh, derived_key("refresh"), type="reset")), 401, "token_invalid")
		for token in (access, refresh):
			answer = self.post("/auth/reset-password", {"token": token, "new_password": "another-" + PASSWORD})
			self.refused(answer, 400, "reset_token_invalid")
			self.refused(self.post("/auth/verify-email", {"token": token}), 400, "reset_token_invalid")
			self.refused(self.post("/auth/change-email", {"token": token}), 400, "reset_token_invalid")
		self.alive(access)
		self.expect(self.refresh(refresh), 200)

	def test_holding_the_key_forges_no_mailed_link(self):
		sub = self.register()["user"]["id"]
		now = int(time.time())
		for kind, url, more in (("reset", "reset-password", {"new_password": "another-" + PASSWORD}), ("verify-email", "verify-email", {}),
		    ("change-email", "change-email", {})):
			claims = {"sub": sub, "id": sub, "iat": now, "nbf": now, "exp": now + 600, "jti": base64url(b"\1" * 16), "type": kind}
			with self.subTest(kind=kind):
				token = sign(claims, derived_key(kind))
				self.refused(self.post("/auth/" + url, {"token": token, **more}), 400, "reset_token_invalid")
				self.refused(self.me(token), 401, "token_invalid")
				self.refused(self.refresh(token), 401, "token_invalid")

	def test_algorithms_other_than_the_keys_are_refused(self):
		token = self.register()["access_token"]
		claims = from_base64url(token.split(".")[1])
		self.expect(self.me(sign(claims)), 200)
		for algorithm in ("none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "EdDSA", "PS256", "hs256", "HS256 ", None, 1, [], {},
		    True, ["HS256"]):
			header = {"alg": algorithm, "typ": "JWT"}
			with self.subTest(algorithm=algorithm):
				self.refused(self.me(sign(claims, header=header)), 401, "token_invalid")
				self.refused(self.me(sign(claims, header=header).rsplit(".", 1)[0] + "."), 401, "token_invalid")
		for algorithm, digest in (("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
			self.refused(self.me(sign(claims, header={"alg": algorithm, "typ": "JWT"}, digest=digest)), 401, "token_invalid")

	def test_headers_of_a_token(self):
		token = self.register()["access_token"]
		claims = from_base64url(token.split(".")[1])
		for header in (b'{"typ":"JWT","alg":"HS256"}', b'{"\\u0061lg":"HS256","typ":"JWT"}'):
			with self.subTest(header=header):
				self.expect(self.me(sign(claims, header=header)), 200)
		for more in ({"crit": ["exp"]}, {"crit": []}, {"crit": "exp"}, {"b64": False, "crit": ["b64"]}, {"kid": "unknown"}, {"kid": "../../dev/null"},
		    {"kid": "x" * 4000}, {"kid": 1}, {"jwk": {"kty": "oct", "k": "AAAA"}}, {"jku": "http://127.0.0.1:1/"}, {"x5u": "http://127.0.0.1:1/"},
		    {"x5c": ["AAAA"]}):
			with self.subTest(more=str(more)[:60]):
				self.refused(self.me(sign(claims, header={"alg": "HS256", "typ": "JWT", **more})), 401, "token_invalid")
		for header in (b"[]", b"null", b'"x"', b"1", b"x", b'{"alg":"HS256"', b'{"alg":"HS256"}x', b'{"alg":"HS256","alg":"HS256"}',
		    b'{"alg":"none","alg":"HS256"}', b'{"ALG":"HS256"}', b'{"typ":"JWT"}', b'{"alg":"HS256\\u0000"}', b'\xef\xbb\xbf{"alg":"HS256"}'):
			with self.subTest(header=header):
				self.refused(self.me(sign(claims, header=header)), 401, "token_invalid")

	def test_times_are_required_integers(self):
		token = self.register()["access_token"]
		self.expect(self.me(changed(token, exp=2 ** 53 - 1)), 200)
		for exp in ("9999999999", 1.5, 9999999999.0, 1e300, -1, 0, True, [], {}, 2 ** 53 + 2, 2 ** 63, 10 ** 30):
			with self.subTest(exp=exp):
				self.assertEqual(self.me(changed(token, exp=exp)).status, 401)
		for name in ("exp", "sub", "sid", "type"):
			with self.subTest(name=name):
				self.refused(self.me(changed(token, **{name: None})), 401, "token_invalid")
		for name in ("iat", "nbf"):
			for value in ("1", 1.5, [], True):
				with self.subTest(name=name, value=value):
					self.refused(self.me(changed(token, **{name: value})), 401, "token_invalid")
		self.refused(self.me(changed(token, nbf=int(time.time()) + 600)), 401, "token_invalid")
		for text in (b'{"exp":1e10,', b'{"exp":null,', b'{"exp":-0,', b'{"exp":9999999999,"exp":9999999999,', b'{"exp\\u0000":9999999999,'):
			claims = decode(token)[1]
			rest = ",".join(f'"{name}":"{claims[name]}"' for name in ("sub", "id", "sid", "type")).encode() + b"}"
			with self.subTest(text=text):
				self.refused(self.me(sign(text + rest)), 401, "token_invalid")

	def test_subject_and_session_must_fit(self):
		mine, other = self.register(), self.register()
		token = mine["access_token"]
		for claims in ({"sub": 1}, {"sub": ""}, {"sub": "x"}, {"sub": "0"}, {"sub": "01"}, {"sub": "-1"}, {"sub": "9" * 20}, {"sub": "9" * 1000},
		    {"sid": ""}, {"sid": 1}, {"sid": "x"}, {"sid": "../../etc"}):
			with self.subTest(claims=str(claims)[:40]):
				self.assertEqual(self.me(changed(token, **{"id": claims.get("sub", mine["user"]["id"]), **claims})).status, 401)
		foreign = changed(token, sub=other["user"]["id"], id=other["user"]["id"])
		self.assertEqual(self.me(foreign).status, 401)
		self.dead(changed(token, sid=base64url(b"\7" * 16)))

	def test_segments_and_base64url_are_strict(self):
		token = self.register()["access_token"]
		header, claims, signature = token.split(".")
		for text in ("x", ".", "..", "...", header, f"{header}.{claims}", f".{claims}.{signature}", f"{header}..{signature}",
		    f"{header}.{claims}.", token + ".", "." + token, token + "." + signature, token + "=", f"{header}=.{claims}.{signature}",
		    token[:-1], token + "A", token.replace(".", ":"), f"{header}.{claims}.{'A' * len(signature)}", "a." * 1000):
			with self.subTest(text=text[-20:]):
				self.refused(self.me(text), 401, "token_invalid")
		last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		twin = last[last.index(signature[-1]) ^ 1]			# the two spare bits of 32 bytes in 43 characters
		self.refused(self.me(token[:-1] + twin), 401, "token_invalid")
		self.alive(token)

	def test_any_changed_byte_is_refused(self):
		token = self.register()["access_token"]
		for at in range(0, len(token), 7):
			with self.subTest(at=at):
				self.assertEqual(self.me(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]).status, 401)
		self.alive(token)

	def test_tokens_are_at_most_4_kib(self):
		token = self.register()["access_token"]
		self.expect(self.me(changed(token, more="x" * 2000)), 200)
		self.refused(self.me(changed(token, more="x" * 4000)), 401, "token_invalid")

	def test_keys_of_public_fame_sign_nothing(self):
		token = self.register()["access_token"]
		for key in ("", "secret", KEY[:32], KEY + "\n", bytes.fromhex(KEY)):
			self.refused(self.me(changed(token, key)), 401, "token_invalid")


class OtherHashes(Case):
	settings = {"ALGORITHM": "HS512", "JWT_KEY": KEY * 2, "REFRESH_SECRET_KEY": "r" + KEY * 2, "API_JWT_ALLOWED_ALGORITHMS": "HS512"}

	def test_the_configured_algorithm_signs(self):
		body = self.register()
		for token in (body["access_token"], body["refresh_token"]):
			self.assertEqual(decode(token)[0]["alg"], "HS512")
		self.expect(self.me(body["access_token"]), 200)
		header = {"alg": "HS512", "typ": "JWT"}
		claims = decode(body["access_token"])[1]
		self.expect(self.me(sign(claims, KEY * 2, header, hashlib.sha512)), 200)
		self.refused(self.me(sign(claims, KEY * 2)), 401, "token_invalid")
		again = sign(decode(body["refresh_token"])[1], "r" + KEY * 2, header, hashlib.sha512)
		self.expect(self.refresh(again), 200)


if __name__ == "__main__":
	main()
