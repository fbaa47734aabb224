# SPDX-License-Identifier: MIT
"""The endpoint table as such: URLs, methods, HEAD, OPTIONS, the headers of every answer, CORS."""
from harness import Case, main, over_both

METHODS = {
	"/auth/register": "POST",
	"/auth/login": "POST",
	"/auth/refresh": "POST",
	"/auth/logout": "POST",
	"/auth/me": "GET HEAD",
	"/auth/sessions": "GET HEAD DELETE POST",
	"/auth/change-password": "POST",
	"/auth/change-email": "GET HEAD POST",
	"/auth/delete-account": "POST",
	"/auth/forgot-password": "POST",
	"/auth/reset-password": "GET HEAD POST",
	"/auth/verify-email": "GET HEAD POST",
	"/auth/health": "GET HEAD",
}
PAGES = ("/login", "/register", "/forgot-password", "/reset-password", "/verify-email", "/change-email", "/account")


def allowed(answer):
	return {method.strip() for method in (answer.headers["Allow"] or "").split(",")} - {"OPTIONS"}


@over_both
class Methods(Case):
	def test_other_methods_are_405_with_allow(self):
		for url, methods in METHODS.items():
			for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
				if method in methods:
					continue
				with self.subTest(url=url, method=method):
					answer = self.call(method, url)
					self.refused(answer, 405, "method_not_allowed")
					self.assertEqual(allowed(answer), set(methods.split()))

	def test_head_where_get_is_not_is_405_without_body(self):
		answer = self.call("HEAD", "/auth/login")
		self.assertEqual((answer.status, answer.body), (405, b""))

	def test_methods_of_the_table_are_not_405(self):
		for url, methods in METHODS.items():
			for method in methods.split():
				with self.subTest(url=url, method=method):
					self.assertNotIn(self.call(method, url).status, (404, 405, 500, 501, 503))

	def test_options_is_204_with_allow(self):
		for url, methods in METHODS.items():
			with self.subTest(url=url):
				answer = self.call("OPTIONS", url)
				self.assertEqual((answer.status, answer.body), (204, b""))
				self.assertEqual(allowed(answer), set(methods.split()))

	def test_head_is_get_without_a_body(self):
		token = self.register()["access_token"]
		for url in ("/auth/me", "/auth/sessions", "/auth/health", "/auth/reset-password?token=x"):
			with self.subTest(url=url):
				get, head = (self.call(method, url, bearer=token) for method in ("GET", "HEAD"))
				self.assertEqual((get.status, head.status), (200, 200))
				self.assertEqual(head.body, b"")
				self.assertEqual(get.headers["Content-Type"], head.headers["Content-Type"])
		self.assertEqual(self.call("HEAD", "/auth/me").status, 401)

	def test_unknown_and_lower_case_methods_do_nothing(self):
		email = self.email()
		self.register(email)
		for method in ("BREW", "post", "Post", "get"):
			with self.subTest(method=method):
				answer = self.call(method, "/auth/login", {"email": email, "password": "walnut-harbour-seven-lanterns"})
				self.assertIn(answer.status, (400, 405, 501))	# lighttpd refuses most of them itself

	def test_method_override_headers_have_no_effect(self):
		token = self.register()["access_token"]
		session = self.get("/auth/me", bearer=token).json()["session_id"]
		for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
			answer = self.get("/auth/sessions?id=" + session, bearer=token, headers={header: "DELETE"})
			self.expect(answer, 200)
		self.alive(token)

	def test_every_answer_carries_its_headers(self):
		token = self.register()["access_token"]
		answers = [self.get("/auth/me", bearer=token), self.get("/auth/me"), self.post("/auth/login"),
		    self.call("PUT", "/auth/login"), self.call("OPTIONS", "/auth/login"), self.get("/auth/health"),
		    self.post("/auth/logout", bearer=token), self.get("/auth/verify"), self.get("/auth/reset-password?token=x"),
		    self.post("/auth/forgot-password", {"email": self.email()})]
		for answer in answers:
			self.assertEqual(answer.headers["Cache-Control"], "no-store", answer.status)
			self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff", answer.status)
			self.assertNotIn("guardbee/", str(answer.headers))
			if answer.body:
				self.assertTrue(answer.headers["Content-Type"])

	def test_health(self):
		answer = self.expect(self.get("/auth/health"), 200)
		body = answer.json()
		self.assertEqual(body["status"], "ok")
		self.assertEqual(set(body), {"status", "checks"})
		self.assertEqual(set(body["checks"]), {"store", "keys", "mail", "disk"})


@over_both
class ExactUrls(Case):
	def test_neighbours_of_a_url_are_404(self):
		self.assertEqual(self.post("/auth/login", {}).status, 400)
		for url in ("/auth/loginX", "/auth/login/", "/auth/login/extra", "/auth/Login", "/auth/login.fcgi", "/auth", "/auth/",
		    "/auth/jwks", "/auth/page", "/auth/me/..", "/auth/../auth/login/x"):
			with self.subTest(url=url):
				self.assertEqual(self.post(url, {}).status, 404)

	def test_a_path_that_normalises_to_the_url_is_the_url(self):
		for url in ("/auth//login", "/auth/../auth/login", "/auth/./login", "/%61uth/login"):
			with self.subTest(url=url):
				self.assertIn(self.post(url, {}).status, (400, 404))


@over_both
class LooseUrls(Case):
	"""A server whose mapping takes prefixes: the programs themselves refuse what is not their URL."""
	options = {"exact": False}

	def test_path_info_is_404(self):
		self.assertEqual(self.post("/auth/login", {}).status, 400)
		for path in ("/auth/login/extra", "/auth/login/", "/auth/login//", "/auth/login/%2e%2ex"):
			with self.subTest(path=path):
				self.refused(self.post(path, {}), 404, "not_found")

	def test_path_info_comes_before_the_method(self):
		self.refused(self.call("PUT", "/auth/login/extra"), 404, "not_found")
		self.refused(self.call("PUT", "/auth/login"), 405, "method_not_allowed")

	def test_path_info_spares_the_gate(self):
		token = self.register()["access_token"]
		self.assertIn(self.get("/auth/verify/any/path", bearer=token).status, (204, 403))
		self.refused(self.get("/auth/verify/any/path"), 401, "token_missing")


@over_both
class Pages(Case):
	settings = {"COOKIE_MODE": "on"}

	def test_pages_answer_html_to_get_and_head(self):
		for url in ("/", *PAGES):
			with self.subTest(url=url):
				get, head = (self.call(method, url) for method in ("GET", "HEAD"))
				# /account without a cookie may lead to the sign-in page instead.
				self.assertIn(get.status, (200, 303) if url == "/account" else (200,))
				self.assertEqual((head.status, head.body), (get.status, b""))
				if get.status == 200:
					self.assertTrue(get.headers["Content-Type"].startswith("text/html"))
					self.assertIn(b"<html", get.body)

	def test_pages_forbid_what_they_do_not_need(self):
		for url in PAGES[:-1]:
			with self.subTest(url=url):
				policy = self.get(url).headers["Content-Security-Policy"]
				for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
					self.assertIn(part, policy)
				self.assertNotIn("unsafe", policy)

	def test_referrer_policy_depends_on_the_token_in_the_url(self):
		for url in ("/reset-password?token=x", "/verify-email?token=x", "/change-email?token=x"):
			self.assertEqual(self.get(url).headers["Referrer-Policy"], "no-referrer", url)
		for url in ("/login", "/register", "/forgot-password"):
			self.assertEqual(self.get(url).headers["Referrer-Policy"], "same-origin", url)

	def test_a_result_is_shown_by_done_or_a_code_of_the_table(self):
		plain = self.get("/login").text()
		self.assertNotEqual(self.get("/login?error=invalid_credentials").text(), plain)
		self.assertNotEqual(self.get("/forgot-password?done=1").text(), self.get("/forgot-password").text())
		for text in ("%3Cscript%3Ealert(1)%3C/script%3E", "call+0900-123456", "invalid_credentials%00"):
			with self.subTest(text=text):
				page = self.get("/login?error=" + text)
				self.assertIn(page.status, (200, 400))
				self.assertNotIn("alert(1)", page.text())
				self.assertNotIn("0900", page.text())

	def test_other_methods_are_405(self):
		for url in ("/login", "/account"):
			for method in ("PUT", "DELETE", "POST"):
				with self.subTest(url=url, method=method):
					self.assertEqual(self.call(method, url).status, 405)

	def test_values_of_the_url_are_escaped(self):
		for url in ("/login?return=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/reset-password?token=%22%3E%3Csvg/onload=alert(1)%3E"):
			page = self.expect(self.get(url), 200).text()
			self.assertNotIn("<script>alert", page)
			self.assertNotIn("<svg/onload", page)


class WithoutJavaScript(Case):
	def test_sign_in_says_that_it_needs_javascript(self):
		for url in ("/login", "/register", "/account"):
			self.assertIn("<noscript>", self.get(url).text(), url)


@over_both
class Cors(Case):
	settings = {"CORS_ORIGINS": "https://app.example.org,http://127.0.0.1:3000"}

	def origin(self, origin, method="GET", url="/auth/me", **more):
		return self.call(method, url, headers={"Origin": origin, **more})

	def test_a_listed_origin_is_allowed_exactly(self):
		for origin in ("https://app.example.org", "http://127.0.0.1:3000"):
			answer = self.origin(origin)
			self.assertEqual(answer.headers["Access-Control-Allow-Origin"], origin)
			self.assertIn("Origin", answer.headers["Vary"])
			self.assertIsNone(answer.headers["Access-Control-Allow-Credentials"])

	def test_preflight_names_methods_and_headers(self):
		answer = self.origin("https://app.example.org", "OPTIONS", "/auth/login", **{
		    "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"})
		self.assertEqual(answer.status, 204)
		self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "https://app.example.org")
		self.assertIn("POST", answer.headers["Access-Control-Allow-Methods"])
		names = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
		self.assertEqual(names, {"authorization", "content-type"})
		self.assertIsNone(answer.headers["Access-Control-Allow-Credentials"])

	def test_other_origins_get_nothing(self):
		for origin in ("https://app.example.org.evil.example", "https://app.example.org:444", "https://app.example.org.",
		    "http://app.example.org", "https://evil.example", "null", "https://APP.example.org", "https://app.example.org/"):
			with self.subTest(origin=origin):
				for method in ("GET", "OPTIONS"):
					answer = self.origin(origin, method)
					self.assertFalse([name for name in answer.headers if name.lower().startswith("access-control")])

	def test_a_listed_origin_signs_in_by_json(self):
		email = self.email()
		self.register(email)
		answer = self.post("/auth/login", {"email": email, "password": "walnut-harbour-seven-lanterns"},
		    headers={"Origin": "https://app.example.org", "Sec-Fetch-Site": "cross-site"})
		self.expect(answer, 200)
		self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "https://app.example.org")

	def test_the_gate_has_no_cors(self):
		token = self.register()["access_token"]
		for method in ("OPTIONS", "GET"):
			answer = self.call(method, "/auth/verify", headers={"Origin": "https://app.example.org"}, bearer=token)
			self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])


class WithoutCors(Case):
	def test_no_origin_is_allowed_by_default(self):
		answer = self.get("/auth/me", headers={"Origin": "https://app.example.org"})
		self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])


if __name__ == "__main__":
	main()
