# SPDX-License-Identifier: MIT
"""The order of refusals: of two faults in one request, the first of the contract's order is answered."""
import json

from harness import Case, PASSWORD, changed, code_of, main, over_both

LARGE = b'{"pad":"' + b"x" * 9000 + b'"}'
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}


@over_both
class Order(Case):
	options = {"exact": False}

	def send(self, url, body=b"", headers=JSON, method="POST", **more):
		if isinstance(body, dict):
			body = json.dumps(body).encode()
		return self.call(method, url, body=body, headers=headers, **more)

	def test_path_before_method(self):
		self.refused(self.send("/auth/login/x", method="PUT"), 404, "not_found")
		self.refused(self.send("/auth/login", method="PUT"), 405, "method_not_allowed")

	def test_path_before_size(self):
		self.refused(self.send("/auth/login/x", LARGE), 404, "not_found")

	def test_method_before_size(self):
		self.refused(self.send("/auth/login", LARGE, method="PUT"), 405, "method_not_allowed")
		self.refused(self.send("/auth/login", LARGE), 413, "payload_too_large")

	def test_size_before_media_type(self):
		self.refused(self.send("/auth/login", LARGE, TEXT), 413, "payload_too_large")
		self.refused(self.send("/auth/login", b"{}", TEXT), 415, "unsupported_media_type")

	def test_media_type_before_syntax(self):
		self.refused(self.send("/auth/login", b"{", TEXT), 415, "unsupported_media_type")
		self.refused(self.send("/auth/login", b"{"), 400, "invalid_json")

	def test_syntax_before_token(self):
		self.refused(self.send("/auth/change-password", b"{"), 400, "invalid_json")
		self.refused(self.send("/auth/change-password", b"{}"), 401, "token_missing")

	def test_two_tokens_before_their_verdict(self):
		answer = self.send("/auth/logout", {"refresh_token": "bad"}, bearer="bad")
		self.refused(answer, 400, "bad_request")
		self.refused(self.send("/auth/logout", b"{}", bearer="bad"), 401, "token_invalid")

	def test_token_before_fields(self):
		for url in ("change-password", "change-email", "delete-account"):
			with self.subTest(url=url):
				self.refused(self.send("/auth/" + url, {"current_password": 1}), 401, "token_missing")
				self.refused(self.send("/auth/" + url, {"current_password": 1}, bearer="bad"), 401, "token_invalid")
		token = self.register()["access_token"]
		for url in ("change-password", "change-email", "delete-account"):
			self.refused(self.send("/auth/" + url, {"current_password": 1}, bearer=token), 400, "invalid_field")

	def test_expired_and_forged_is_invalid(self):
		token = self.register()["access_token"]
		self.refused(self.me(changed(token, "another-key-of-enough-length-" * 3, iat=1, nbf=1, exp=2)), 401, "token_invalid")
		self.refused(self.me(changed(token, iat=1, nbf=1, exp=2)), 401, "token_expired")

	def test_missing_before_invalid_in_the_tables_order(self):
		for body, code in (({}, "missing_field"), ({"email": 1}, "invalid_field"), ({"password": 1}, "missing_field"),
		    ({"email": "a@b.co", "username": 1}, "missing_field"), ({"email": "a@b.co", "password": 1, "username": 1}, "invalid_field"),
		    ({"email": "a@b.co", "password": PASSWORD, "username": 1}, "invalid_field")):
			with self.subTest(body=body):
				self.refused(self.post("/auth/register", body), 400, code)
		token = self.register()["access_token"]
		for body, code in (({"new_password": 1}, "missing_field"), ({"current_password": 1}, "invalid_field"),
		    ({"current_password": "x"}, "missing_field"), ({"current_password": "x", "new_password": 1}, "invalid_field")):
			with self.subTest(body=body):
				self.refused(self.post("/auth/change-password", body, bearer=token), 400, code)

	def test_types_before_form(self):
		self.refused(self.post("/auth/register", {"email": "bad", "password": 1}), 400, "invalid_field")
		self.refused(self.post("/auth/register", {"email": "bad", "password": PASSWORD}), 422, "invalid_email")

	def test_email_before_username_before_length_before_strength(self):
		long = "x" * 1025
		cases = (("bad", "1", long, "invalid_email"), ("a@b.co", "1", long, "invalid_username"), ("a@b.co", "abc", long, "password_too_long"),
		    ("a@b.co", "abc", "short", "weak_password"))
		for email, username, password, code in cases:
			with self.subTest(code=code):
				answer = self.post("/auth/register", {"email": email, "username": username, "password": password})
				self.refused(answer, 422, code)

	def test_strength_before_a_taken_address(self):
		email = self.email()
		self.register(email)
		self.refused(self.post("/auth/register", {"email": email, "password": "short"}), 422, "weak_password")
		self.refused(self.post("/auth/register", {"email": email, "password": PASSWORD}), 409, "account_exists")

	def test_strength_before_the_current_password(self):
		token = self.register()["access_token"]
		body = {"current_password": "wrong-password-7", "new_password": "short"}
		self.refused(self.post("/auth/change-password", body, bearer=token), 422, "weak_password")
		body["new_password"] = "x" * 1025
		self.refused(self.post("/auth/change-password", body, bearer=token), 422, "password_too_long")
		body["new_password"] = "another-" + PASSWORD
		self.refused(self.post("/auth/change-password", body, bearer=token), 401, "invalid_credentials")

	def test_the_link_before_the_strength(self):
		self.refused(self.post("/auth/reset-password", {"token": "x", "new_password": "short"}), 400, "reset_token_invalid")
		self.refused(self.post("/auth/reset-password", {"token": "x"}), 400, "missing_field")
		self.refused(self.post("/auth/reset-password", {"token": "x", "new_password": "x" * 1025}), 422, "password_too_long")

	def test_an_unknown_session_after_the_token(self):
		self.refused(self.call("DELETE", "/auth/sessions?id=x"), 401, "token_missing")
		token = self.register()["access_token"]
		self.refused(self.call("DELETE", "/auth/sessions?id=x", bearer=token), 404, "not_found")


@over_both
class OrderWhenClosed(Case):
	settings = {"REGISTRATION": "closed"}

	def test_closed_after_syntax_before_fields(self):
		self.refused(self.call("POST", "/auth/register", body=b"{", headers=JSON), 400, "invalid_json")
		for body in ({}, {"email": 1}, {"email": "bad", "password": "x"}, {"email": "a@b.co", "password": PASSWORD}):
			with self.subTest(body=body):
				self.refused(self.post("/auth/register", body), 403, "registration_closed")


class OrderOfLimits(Case):
	settings = {"RATE_LIMITS": "on"}

	def test_form_before_limit_before_strength(self):
		for _ in range(10):
			self.expect(self.post("/auth/register", {"email": self.email(), "password": PASSWORD}), 201)
		self.refused(self.post("/auth/register", {"email": "bad", "password": "short"}), 422, "invalid_email")
		self.refused(self.post("/auth/register", {"email": "a@b.co", "password": "x" * 1025}), 422, "password_too_long")
		self.refused(self.post("/auth/register", {"email": "a@b.co", "password": "short"}), 429, "rate_limited")
		self.refused(self.post("/auth/register", {}), 400, "missing_field")

	def test_limit_before_the_password(self):
		name = {"username": "no-such-bee"}
		codes = [code_of(self.post("/auth/login", {**name, "password": "wrong"})) for _ in range(9)]
		self.assertEqual(codes[:5], ["invalid_credentials"] * 5)
		self.assertEqual(codes[-1], "rate_limited")
		self.refused(self.post("/auth/login", {**name, "password": 1}), 400, "invalid_field")


@over_both
class OrderOfCookies(Case):
	settings = {"COOKIE_MODE": "on"}

	def test_origin_before_csrf_before_token(self):
		gate = {"__Host-gb_gate": "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"}
		there = {"Origin": "https://evil.example"}
		here = {"Origin": self.server.origin}
		body = {"current_password": 1}
		self.refused(self.post("/auth/delete-account", body, cookies=gate, headers=there), 403, "origin_forbidden")
		self.refused(self.post("/auth/delete-account", body, cookies=gate, headers=here), 403, "csrf_failed")
		self.refused(self.call("POST", "/auth/delete-account", body=b"{", cookies=gate, headers={**there, **JSON}), 400, "invalid_json")

	def test_origin_before_registration_and_fields(self):
		answer = self.call("POST", "/auth/login", form={"email": "a@b.co"}, headers={"Origin": "https://evil.example"})
		self.expect(answer, 303)
		self.assertEqual(answer.headers["Location"], self.server.origin + "/login?error=origin_forbidden")


if __name__ == "__main__":
	main()
