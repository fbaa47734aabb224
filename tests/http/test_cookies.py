# SPDX-License-Identifier: MIT
"""COOKIE_MODE=on: the three cookies, origin check and CSRF, forms without JavaScript, return paths."""
import hashlib
import urllib.parse

from harness import Case, PASSWORD, base64url, decode, from_base64url, main, over_both

GATE, REFRESH, CSRF = "__Host-gb_gate", "__Secure-gb_refresh", "__Host-gb_csrf"
OTHER = "orchid-" + PASSWORD


def csrf_of(gate):
	secret = from_base64url(gate.split(".")[1])
	return base64url(hashlib.sha256(b"guardbee/1/csrf" + secret).digest()[:16])


class CookieCase(Case):
	settings = {"COOKIE_MODE": "on"}

	@property
	def here(self):
		return {"Origin": self.server.origin}

	def sign_up(self, **more):
		"""A new account, as a browser has it afterwards: (email, {cookie: value})"""
		email = self.email()
		answer = self.post("/auth/register", {"email": email, "password": PASSWORD, **more}, headers=self.here)
		self.expect(answer, 201)
		return email, self.jar(answer)

	def sign_in(self, email, password=PASSWORD, **more):
		return self.jar(self.expect(self.post("/auth/login", {"email": email, "password": password}, headers=self.here, **more), 200))

	def jar(self, answer):
		return {name: value for name, (value, _) in answer.set_cookies().items()}

	def proven(self, jar):
		"""Headers that a page of ours sends with a request of its own."""
		return {**self.here, "X-CSRF-Token": csrf_of(jar[GATE])}

	def gate(self, jar, method="GET", url="/auth/me", **more):
		return self.call(method, url, cookies={GATE: jar[GATE]}, **more)

	def form(self, url, fields, cookies=None, headers=None):
		return self.call("POST", url, form=fields, cookies=cookies, headers=self.here if headers is None else headers)

	def leads(self, answer, path):
		self.expect(answer, 303)
		self.assertEqual(answer.headers["Location"], self.server.origin + path)

	def leads_with(self, answer, path, **query):
		self.expect(answer, 303)
		where = urllib.parse.urlsplit(answer.headers["Location"])
		self.assertEqual(f"{where.scheme}://{where.netloc}", self.server.origin)
		self.assertEqual((where.path, dict(urllib.parse.parse_qsl(where.query))), (path, query))

	def expired(self, answer):
		cookies = answer.set_cookies()
		self.assertEqual(set(cookies), {GATE, REFRESH, CSRF})
		for name, (value, attributes) in cookies.items():
			self.assertTrue({"max-age=0"} & attributes or any("1970" in attribute for attribute in attributes), name)
			self.assertIn("secure", attributes)
			self.assertIn("path=/auth/" if name == REFRESH else "path=/", attributes)


@over_both
class Cookies(CookieCase):
	def test_attributes_of_the_three(self):
		email, _ = self.sign_up()
		answer = self.post("/auth/login", {"email": email, "password": PASSWORD}, headers=self.here)
		cookies = answer.set_cookies()
		age = "max-age=%d" % answer.json()["refresh_expires_in"]
		self.assertEqual(cookies[GATE][1], {"secure", "httponly", "samesite=lax", "path=/", age})
		self.assertEqual(cookies[REFRESH][1], {"secure", "httponly", "samesite=strict", "path=/auth/", age})
		self.assertEqual(cookies[CSRF][1], {"secure", "samesite=strict", "path=/", age})
		self.assertEqual(len(answer.headers.get_all("Set-Cookie")), 3)

	def test_values_of_the_three(self):
		answer = self.post("/auth/register", {"email": self.email(), "password": PASSWORD}, headers=self.here)
		body, jar = answer.json(), self.jar(answer)
		self.assertNotIn("refresh_token", body)
		self.assertIn("access_token", body)
		sid, secret = jar[GATE].split(".")
		self.assertEqual(sid, decode(body["access_token"])[1]["sid"])
		self.assertEqual(len(from_base64url(secret)), 16)
		self.assertEqual(decode(jar[REFRESH])[1]["type"], "refresh")
		self.assertEqual(jar[CSRF], csrf_of(jar[GATE]))

	def test_without_the_origin_check_there_is_no_cookie(self):
		email, _ = self.sign_up()
		for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": self.server.origin + "/"},
		    {"Origin": self.server.origin + "0"}, {**self.here, "Sec-Fetch-Site": "cross-site"}, {**self.here, "Sec-Fetch-Site": "same-site"},
		    {**self.here, "Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "cross-site"}):
			with self.subTest(headers=headers):
				answer = self.expect(self.post("/auth/login", {"email": email, "password": PASSWORD}, headers=headers), 200)
				self.assertEqual(answer.set_cookies(), {})
				self.assertIn("refresh_token", answer.json())
		for headers in (self.here, {"Sec-Fetch-Site": "same-origin"}, {**self.here, "Sec-Fetch-Site": "same-origin"},
		    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}):
			with self.subTest(headers=headers):
				answer = self.expect(self.post("/auth/login", {"email": email, "password": PASSWORD}, headers=headers), 200)
				self.assertEqual(set(answer.set_cookies()), {GATE, REFRESH, CSRF})

	def test_the_gate_cookie_reads_what_a_token_reads(self):
		email, jar = self.sign_up()
		self.assertEqual(self.expect(self.gate(jar), 200).json()["email"], email)
		self.assertEqual(len(self.expect(self.gate(jar, url="/auth/sessions"), 200).json()["sessions"]), 1)
		self.assertEqual(self.gate(jar, url="/auth/verify").status, 403)	# known, but not verified
		self.expect(self.gate(jar, "HEAD"), 200)

	def test_no_cookie_is_a_bearer_token_and_no_other_cookie_opens(self):
		_, jar = self.sign_up()
		self.refused(self.me(jar[GATE]), 401, "token_invalid")
		for cookies in ({REFRESH: jar[REFRESH]}, {CSRF: jar[CSRF]}, {GATE.lower(): jar[GATE]}, {"gb_gate": jar[GATE]}, {}):
			self.refused(self.get("/auth/me", cookies=cookies), 401, "token_missing")
		self.refused(self.post("/auth/refresh", {"refresh_token": jar[GATE]}), 401, "token_invalid")

	def test_malformed_wrong_and_ended_gate_cookies(self):
		_, jar = self.sign_up()
		sid, secret = jar[GATE].split(".")
		_, other = self.sign_up()
		for value in ("x", ".", sid, sid + ".", "." + secret, f"{sid}.{secret}.", f"{sid}.{secret}A", f"{sid}.{other[GATE].split('.')[1]}",
		    f"{sid}.{'A' * 22}", f"{sid}:{secret}", f"{sid[:-1]}.{secret}", f"{sid}.{secret}=", "%s", f"{sid}.{secret[:-1]}"):
			with self.subTest(value=value):
				self.refused(self.get("/auth/me", cookies={GATE: value}), 401, "token_invalid")
		self.expect(self.gate(jar), 200)
		self.expect(self.gate(jar, "POST", "/auth/logout", headers=self.proven(jar)), 204)
		self.refused(self.gate(jar), 401, "token_revoked")
		self.refused(self.gate(jar, url="/auth/verify"), 401, "token_revoked")

	def test_a_name_sent_twice_or_too_long_is_absent(self):
		_, jar = self.sign_up()
		one = f"{GATE}={jar[GATE]}"
		def cookie(text):
			return self.get("/auth/me", headers={"Cookie": text})
		for text in (one, f"a=1; {one}", f"{one}; b=2", f"a=1, {one}", f"{one}, b=2", f"a=1,{one},c=3", f"a=1;{one}", f"; {one} ;"):
			with self.subTest(text=text[:20]):
				self.expect(cookie(text), 200)
		for text in (f"{one}; {one}", f"{one}, {one}", f"{one}; {GATE}=x", f"{GATE}=; {one}", f"{GATE}={'x' * 2049}", f"x{one}"):
			with self.subTest(text=text[:20]):
				self.assertIn(self.refusal(cookie(text)), ((401, "token_missing"), (401, "token_invalid")))
		self.refused(cookie(f"{one}; {one}"), 401, "token_missing")
		self.refused(cookie(f"{GATE}={'x' * 2049}"), 401, "token_missing")

	def refusal(self, answer):
		return answer.status, answer.json()["code"]

	def test_authorization_decides_over_a_cookie(self):
		email, jar = self.sign_up()
		_, other = self.sign_up()
		stranger = self.register()
		def both(value):
			return self.gate(jar, headers={"Authorization": value})
		self.refused(both("Bearer x"), 401, "token_invalid")
		self.assertEqual(both("Bearer " + stranger["access_token"]).json()["email"], stranger["user"]["email"])
		self.assertEqual(both("Basic eDp5").json()["email"], email)
		self.assertEqual(both("").json()["email"], email)
		answer = self.gate(other, "POST", "/auth/change-password", json_body={"current_password": PASSWORD, "new_password": OTHER},
		    bearer=stranger["access_token"], headers={"Origin": "https://evil.example"})
		self.expect(answer, 204)		# JSON with a Bearer is never refused for its origin
		self.login(stranger["user"]["email"], OTHER)
		self.refused(self.get("/auth/verify", cookies={GATE: jar[GATE]}, bearer="x"), 401, "token_invalid")


@over_both
class Guarded(CookieCase):
	"""Requests that a cookie authenticates: origin, then CSRF."""
	def change(self, jar, headers, **more):
		body = {"current_password": PASSWORD, "new_password": OTHER, **more}
		return self.gate(jar, "POST", "/auth/change-password", json_body=body, headers=headers)

	def test_the_origin_must_be_ours(self):
		email, jar = self.sign_up()
		csrf = {"X-CSRF-Token": jar[CSRF]}
		for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": self.server.origin.replace("http:", "https:")},
		    {"Origin": "http://127.0.0.1"}, {**self.here, "Sec-Fetch-Site": "same-site"}, {**self.here, "Sec-Fetch-Site": "cross-site"},
		    {"Referer": self.server.origin + "/account"}):
			with self.subTest(headers=headers):
				self.refused(self.change(jar, {**headers, **csrf}), 403, "origin_forbidden")
		self.login(email)
		self.expect(self.change(jar, {**self.here, **csrf}), 204)
		self.login(email, OTHER)

	def test_the_csrf_value_must_be_the_gates(self):
		email, jar = self.sign_up()
		_, other = self.sign_up()
		for value in (None, "", "x", other[CSRF], jar[CSRF][:-1], jar[CSRF] + "A", jar[GATE], jar[CSRF].swapcase()):
			with self.subTest(value=value):
				headers = self.here if value is None else {**self.here, "X-CSRF-Token": value}
				self.refused(self.change(jar, headers), 403, "csrf_failed")
		self.refused(self.change(jar, self.here, csrf_token=other[CSRF]), 403, "csrf_failed")
		self.expect(self.change(jar, self.here, csrf_token=jar[CSRF]), 204)
		self.login(email, OTHER)

	def test_the_cookie_of_the_csrf_value_alone_proves_nothing(self):
		_, jar = self.sign_up()
		body = {"current_password": PASSWORD, "new_password": OTHER}
		answer = self.post("/auth/change-password", body, cookies={GATE: jar[GATE], CSRF: jar[CSRF]}, headers=self.here)
		self.refused(answer, 403, "csrf_failed")

	def test_every_door_that_changes_something_is_guarded(self):
		_, jar = self.sign_up()
		session = jar[GATE].split(".")[0]
		doors = (("POST", "/auth/change-password"), ("POST", "/auth/change-email"), ("POST", "/auth/delete-account"), ("POST", "/auth/logout"),
		    ("DELETE", "/auth/sessions?id=" + session))
		for method, url in doors:
			with self.subTest(url=url):
				body = {} if method == "POST" else None
				self.refused(self.gate(jar, method, url, json_body=body), 403, "origin_forbidden")
				self.refused(self.gate(jar, method, url, json_body=body, headers=self.here), 403, "csrf_failed")
		self.expect(self.gate(jar), 200)

	def test_the_gate_needs_neither(self):
		_, jar = self.sign_up()
		for method in ("GET", "POST", "DELETE", "OPTIONS"):
			answer = self.gate(jar, method, "/auth/verify", headers={"Origin": "https://evil.example"})
			self.refused(answer, 403, "email_unverified")

	def test_delete_of_a_session(self):
		email, jar = self.sign_up()
		other = self.sign_in(email)
		answer = self.gate(jar, "DELETE", "/auth/sessions?id=" + other[GATE].split(".")[0], headers=self.proven(jar))
		self.expect(answer, 204)
		self.assertEqual(answer.set_cookies(), {})
		self.refused(self.gate(other), 401, "token_revoked")
		answer = self.gate(jar, "DELETE", "/auth/sessions?id=" + jar[GATE].split(".")[0], headers=self.proven(jar))
		self.expect(answer, 204)
		self.expired(answer)

	def test_logout_expires_all_three(self):
		for all in (False, True):
			email, jar = self.sign_up()
			other = self.sign_in(email)
			answer = self.gate(jar, "POST", "/auth/logout", json_body={"all": all}, headers=self.proven(jar))
			self.expect(answer, 204)
			self.expired(answer)
			self.refused(self.gate(jar), 401, "token_revoked")
			self.assertEqual(self.gate(other).status, 401 if all else 200)

	def test_delete_account_expires_all_three(self):
		_, jar = self.sign_up()
		answer = self.gate(jar, "POST", "/auth/delete-account", json_body={"current_password": PASSWORD}, headers=self.proven(jar))
		self.expect(answer, 204)
		self.expired(answer)


@over_both
class Refreshing(CookieCase):
	settings = {"COOKIE_MODE": "on", "REFRESH_GRACE": "0"}

	def renew(self, jar, headers=None, body=None):
		return self.post("/auth/refresh", body, cookies=jar, headers=self.proven(jar) if headers is None else headers)

	def test_a_refresh_by_cookie(self):
		_, jar = self.sign_up()
		answer = self.expect(self.renew(jar), 200)
		new = self.jar(answer)
		self.assertNotIn("refresh_token", answer.json())
		self.assertEqual((new[GATE], new[CSRF]), (jar[GATE], jar[CSRF]))
		self.assertNotEqual(new[REFRESH], jar[REFRESH])
		self.assertIn("max-age=%d" % answer.json()["refresh_expires_in"], answer.set_cookies()[REFRESH][1])
		self.alive(answer.json()["access_token"])
		self.expect(self.gate(jar), 200)
		self.expect(self.renew(new), 200)

	def test_it_needs_origin_and_csrf(self):
		_, jar = self.sign_up()
		self.refused(self.renew(jar, {}), 403, "origin_forbidden")
		self.refused(self.renew(jar, {"Origin": "https://evil.example", "X-CSRF-Token": jar[CSRF]}), 403, "origin_forbidden")
		self.refused(self.renew(jar, self.here), 403, "csrf_failed")
		self.expect(self.renew(jar), 200)

	def test_a_refresh_cookie_without_its_gate_is_absent(self):
		_, jar = self.sign_up()
		_, other = self.sign_up()
		self.refused(self.post("/auth/refresh", cookies={REFRESH: jar[REFRESH]}, headers=self.here), 401, "token_missing")
		answer = self.post("/auth/refresh", cookies={GATE: other[GATE], REFRESH: jar[REFRESH]}, headers=self.proven(other))
		self.assertEqual(answer.status, 401)
		self.assertEqual(answer.set_cookies().get(GATE), None)
		self.expect(self.renew(jar), 200)

	def test_the_gate_alone_buys_no_token(self):
		_, jar = self.sign_up()
		self.refused(self.post("/auth/refresh", cookies={GATE: jar[GATE]}, headers=self.proven(jar)), 401, "token_missing")

	def test_a_spent_cookie_is_reuse(self):
		_, jar = self.sign_up()
		new = self.jar(self.renew(jar))
		self.refused(self.renew(jar), 403, "refresh_token_revoked")
		self.refused(self.gate(new), 401, "token_revoked")

	def test_programs_get_the_usual_answer_and_no_cookie(self):
		body = self.register()
		answer = self.expect(self.refresh(body["refresh_token"]), 200)
		self.assertIn("refresh_token", answer.json())
		self.assertEqual(answer.set_cookies(), {})
		answer = self.expect(self.refresh(answer.json()["refresh_token"], headers=self.here), 200)	# no gate cookie
		self.assertIn("refresh_token", answer.json())
		self.assertEqual(answer.set_cookies(), {})

	def test_two_different_tokens_are_400(self):
		_, jar = self.sign_up()
		other = self.register()
		self.refused(self.renew(jar, body={"refresh_token": other["refresh_token"]}), 400, "bad_request")
		self.expect(self.renew(jar, body={"refresh_token": jar[REFRESH]}), 200)

	def test_login_ends_the_session_that_was_presented(self):
		email, jar = self.sign_up()
		stay = self.sign_in(email)
		new = self.sign_in(email, cookies={GATE: jar[GATE]})
		self.refused(self.gate(jar), 401, "token_revoked")
		self.expect(self.gate(new), 200)
		self.expect(self.gate(stay), 200)
		answer = self.post("/auth/login", {"email": email, "password": "wrong-walnut-77"}, cookies={GATE: stay[GATE]}, headers=self.here)
		self.refused(answer, 401, "invalid_credentials")
		self.expect(self.gate(stay), 200)
		self.sign_in(email, cookies={GATE: "malformed"})


RETURNS = (	# what is asked for, where it leads (None: anywhere on our own site)
	("/members/page.html", "/members/page.html"), ("/a?b=c&d=%20e", "/a?b=c&d=%20e"), ("/", "/"), ("/%41", "/%41"), ("/x#y", "/x#y"),
	("/" + "a" * 1023, "/" + "a" * 1023),
	("/" + "a" * 1024, "/"), ("https://evil.example/", "/"), ("//evil.example/", None), ("/\\evil.example", "/"), ("\\/evil.example", "/"),
	("/%5Cevil.example", "/"), ("/%2Fevil.example", None), ("/a%0d%0aLocation:%20x", "/"), ("/a\r\nX: y", "/"), ("/a\tb", "/"), ("/a%09b", "/"),
	("/a%00b", "/"), ("/\u00e9", "/"), ("/%C3%A9", "/"), ("javascript:alert(1)", "/"), ("account", "/"), (" /account", "/"), ("/auth/logout", "/"),
	("/auth/", "/"), ("/auth/login?x=1", "/"), ("/a%7F", "/"), ("/./auth/logout", None), ("/%61uth/logout", None), ("/x/../auth/logout", None),
)


@over_both
class Forms(CookieCase):
	def test_sign_in_and_registration_lead_on(self):
		email = self.email()
		answer = self.form("/auth/register", {"email": email, "password": PASSWORD})
		self.leads(answer, "/account?done=1")
		self.assertEqual(set(answer.set_cookies()), {GATE, REFRESH, CSRF})
		answer = self.form("/auth/login", {"email": email, "password": PASSWORD, "return": "/members/"})
		self.leads(answer, "/members/")
		self.assertEqual(set(answer.set_cookies()), {GATE, REFRESH, CSRF})
		self.assertEqual(self.expect(self.gate(self.jar(answer)), 200).json()["email"], email)

	def test_return_leads_nowhere_else(self):
		email, _ = self.sign_up()
		for asked, leads in RETURNS:
			with self.subTest(asked=asked[:40]):
				answer = self.form("/auth/login", {"email": email, "password": PASSWORD, "return": asked})
				self.expect(answer, 303)
				location = answer.headers["Location"]
				if leads is not None:
					self.assertEqual(location, self.server.origin + leads)
				self.assertTrue(location.startswith(self.server.origin + "/"))
				self.assertNotRegex(location, r"[\x00-\x20\x7f-\uffff\\]")
				self.assertEqual(urllib.parse.urlsplit(location).netloc, f"127.0.0.1:{self.server.port}")

	def test_a_refusal_leads_back_with_its_code_and_return(self):
		email, _ = self.sign_up()
		wrong = {"email": email, "password": "wrong-walnut-77", "return": "/members/?a=b"}
		answer = self.form("/auth/login", wrong)
		self.leads_with(answer, "/login", error="invalid_credentials", **{"return": "/members/?a=b"})
		self.assertEqual(answer.set_cookies(), {})
		self.leads_with(self.form("/auth/login", {"email": email}), "/login", error="missing_field")
		taken = {"email": email, "password": PASSWORD, "return": "/m"}
		self.leads_with(self.form("/auth/register", taken), "/register", error="account_exists", **{"return": "/m"})
		self.leads_with(self.form("/auth/register", {"email": "bad", "password": PASSWORD}), "/register", error="invalid_email")

	def test_a_foreign_form_signs_nobody_in(self):
		email, jar = self.sign_up()
		for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {**self.here, "Sec-Fetch-Site": "cross-site"}):
			for url, fields in (("/auth/login", {"email": email, "password": PASSWORD}), ("/auth/register", {"email": self.email(), "password": PASSWORD})):
				with self.subTest(url=url, headers=headers):
					answer = self.form(url, fields, headers=headers)
					self.leads_with(answer, url[5:], error="origin_forbidden")
					self.assertEqual(answer.set_cookies(), {})
		self.leads_with(self.form("/auth/logout", {"csrf_token": jar[CSRF]}, jar, {}), "/login", error="origin_forbidden")
		self.expect(self.gate(jar), 200)

	def test_earlier_refusals_answer_json(self):
		media = {"Content-Type": "application/x-www-form-urlencoded", **self.here}
		self.refused(self.call("POST", "/auth/login", body=b"x" * 9000, headers=media), 413, "payload_too_large")
		self.refused(self.call("PUT", "/auth/login", body=b"x", headers=media), 405, "method_not_allowed")
		self.refused(self.call("POST", "/auth/login", body=b"email=%zz", headers=media), 400, "bad_request")
		self.refused(self.call("POST", "/auth/login", body=b"email=a&email=b", headers=media), 400, "bad_request")

	def test_forms_of_the_account(self):
		email, jar = self.sign_up()
		csrf = {"csrf_token": jar[CSRF]}
		cookies = {GATE: jar[GATE], CSRF: jar[CSRF]}
		change = {"current_password": PASSWORD, "new_password": OTHER}
		self.leads_with(self.form("/auth/change-password", {**change, "current_password": "wrong-walnut-77", **csrf}, cookies), "/account",
		    error="invalid_credentials")
		self.leads_with(self.form("/auth/change-password", change, cookies), "/account", error="csrf_failed")
		self.leads_with(self.form("/auth/change-password", {**change, "new_password": "short", **csrf}, cookies), "/account", error="weak_password")
		self.leads_with(self.form("/auth/change-password", {**change, **csrf}, cookies), "/account", done="1")
		self.login(email, OTHER)
		self.leads_with(self.form("/auth/change-email", {"current_password": OTHER, "new_email": self.email(), **csrf}, cookies), "/account", done="1")
		other = self.sign_in(email, OTHER)
		self.leads_with(self.form("/auth/sessions", {"id": other[GATE].split(".")[0], **csrf}, cookies), "/account", done="1")
		self.refused(self.gate(other), 401, "token_revoked")
		self.leads_with(self.form("/auth/sessions", {"id": "x", **csrf}, cookies), "/account", error="not_found")
		answer = self.form("/auth/delete-account", {"current_password": "wrong-walnut-77", **csrf}, cookies)
		self.leads_with(answer, "/login", error="invalid_credentials")
		answer = self.form("/auth/delete-account", {"current_password": OTHER, **csrf}, cookies)
		self.leads_with(answer, "/login", done="1")
		self.expired(answer)

	def test_a_password_chosen_is_sent_once_or_twice_the_same(self):
		email = self.email()
		fields = {"email": email, "password": PASSWORD, "return": "/m"}
		for again in (OTHER, ""):
			answer = self.form("/auth/register", {**fields, "confirm_password": again})
			self.leads_with(answer, "/register", error="invalid_field", **{"return": "/m"})
			self.assertEqual(answer.set_cookies(), {})
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		jar = self.jar(self.form("/auth/register", {**fields, "confirm_password": PASSWORD}))
		change = {"current_password": PASSWORD, "new_password": OTHER, "csrf_token": jar[CSRF]}
		self.leads_with(self.form("/auth/change-password", {**change, "confirm_password": PASSWORD}, jar), "/account", error="invalid_field")
		page = self.gate(jar, url="/account?error=invalid_field").text()
		self.assertRegex(page, 'id="confirm-mistake"[^>]*>The two new passwords are not the same[.]<')
		self.login(email)
		self.leads_with(self.form("/auth/change-password", {**change, "confirm_password": OTHER}, jar), "/account", done="1")
		self.login(email, OTHER)

	def test_sign_out_by_form(self):
		email, jar = self.sign_up()
		other = self.sign_in(email)
		answer = self.form("/auth/logout", {"csrf_token": jar[CSRF]}, jar)
		self.leads_with(answer, "/login", done="1")
		self.expired(answer)
		self.expect(self.gate(other), 200)
		third = self.sign_in(email)
		self.expect(self.form("/auth/logout", {"csrf_token": third[CSRF], "all": "true"}, third), 303)
		self.refused(self.gate(other), 401, "token_revoked")

	def test_without_a_session_forms_lead_to_the_sign_in_page(self):
		_, jar = self.sign_up()
		self.post("/auth/logout", cookies={GATE: jar[GATE]}, headers=self.proven(jar))
		for url in ("change-password", "change-email", "delete-account", "sessions", "logout"):
			with self.subTest(url=url):
				self.leads_with(self.form("/auth/" + url, {"id": "x"}), "/login", error="token_missing")
		answer = self.form("/auth/change-password", {"current_password": PASSWORD, "new_password": OTHER, "csrf_token": jar[CSRF]}, jar)
		self.leads_with(answer, "/login", error="token_revoked")

	def test_refresh_by_form(self):
		_, jar = self.sign_up()
		answer = self.form("/auth/refresh", {"csrf_token": jar[CSRF], "return": "/members/"}, jar)
		self.leads(answer, "/members/")
		self.assertNotEqual(self.jar(answer)[REFRESH], jar[REFRESH])

	def test_the_account_page_knows_who_looks(self):
		email, jar = self.sign_up()
		page = self.expect(self.gate(jar, url="/account"), 200).text()
		self.assertIn(email, page)
		self.assertIn(jar[CSRF], page)
		self.assertNotIn(email, self.get("/account").text())

	def test_the_account_page_names_a_device_in_its_language(self):
		email, jar = self.sign_up()
		agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
		self.post("/auth/login", {"email": email, "password": PASSWORD}, headers=agent)
		for language, words in (("en", "Firefox on Linux"), ("es", "Firefox en Linux"), ("de", "Firefox auf Linux")):
			page = self.gate(jar, url="/account", headers={"Accept-Language": language}).text()
			self.assertEqual(page.count(words), 2, language)	# and on its button
			self.assertEqual(page.count(">127.0.0.1<"), 2, "the place of both sign-ins")
		self.assertIn("Firefox on Linux", [row["device"] for row in self.gate(jar, url="/auth/sessions").json()["sessions"]])

	def test_the_sign_in_page_keeps_a_safe_return(self):
		self.assertIn('value="/members/"', self.get("/login?return=/members/").text())
		for asked in ("https://evil.example/", "/%5C%5Cevil.example", "javascript:alert(1)"):
			self.assertNotIn("evil.example", self.get("/login?return=" + urllib.parse.quote(asked, safe="")).text())


class VerifyingRegistration(CookieCase):
	settings = {"COOKIE_MODE": "on", "REGISTRATION": "verify"}

	def test_a_form_leads_to_its_own_page(self):
		answer = self.form("/auth/register", {"email": self.email(), "password": PASSWORD})
		self.leads_with(answer, "/register", done="1")
		self.assertEqual(answer.set_cookies(), {})


class WithCorsOrigins(CookieCase):
	settings = {"COOKIE_MODE": "on", "CORS_ORIGINS": "https://app.example.org"}

	def test_a_listed_origin_gets_tokens_and_no_cookie(self):
		email, jar = self.sign_up()
		answer = self.post("/auth/login", {"email": email, "password": PASSWORD}, headers={"Origin": "https://app.example.org"})
		self.assertIn("refresh_token", self.expect(answer, 200).json())
		self.assertEqual(answer.set_cookies(), {})
		self.assertIsNone(answer.headers["Access-Control-Allow-Credentials"])
		answer = self.gate(jar, "POST", "/auth/logout", headers={"Origin": "https://app.example.org", "X-CSRF-Token": jar[CSRF]})
		self.refused(answer, 403, "origin_forbidden")


class CookiesOff(CookieCase):
	settings = {}

	def test_cookies_are_neither_set_nor_read(self):
		email = self.email()
		answer = self.post("/auth/register", {"email": email, "password": PASSWORD}, headers=self.here)
		self.assertEqual(self.expect(answer, 201).set_cookies(), {})
		sid = decode(answer.json()["access_token"])[1]["sid"]
		self.refused(self.get("/auth/me", cookies={GATE: sid + "." + "A" * 22}), 401, "token_missing")
		self.refused(self.post("/auth/refresh", cookies={REFRESH: answer.json()["refresh_token"]}, headers=self.here), 401, "token_missing")


if __name__ == "__main__":
	main()
