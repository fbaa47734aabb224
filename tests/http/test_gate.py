# SPDX-License-Identifier: MIT
"""The gate: verify as responder, and as lighttpd's authorizer before pages and programs that know nothing of us."""
import os
import shutil
import signal
import time
import urllib.parse

from harness import Case, PASSWORD, arguments_of, changed, decode, executable, main, over_both, processes, tell, wait_until
from test_cookies import CookieCase, GATE

NAMES = ("REMOTE_USER", "AUTH_USER_ID", "AUTH_SESSION", "AUTH_GROUPS")


class GateCase(Case):
	def member(self, name=None, groups=None):
		"""A verified account, as the operator adds one: (email, answer of its login)"""
		email = self.email()
		added = self.server.command("user", "add", email, *([name] if name else []), input=PASSWORD + "\n")
		self.assertEqual(added.returncode, 0, added.stderr)
		if groups:
			self.assertEqual(self.server.command("user", "set", email, "groups=" + groups).returncode, 0)
		return email, self.login(email)


@over_both
class Responder(GateCase):
	def verify(self, token=None, method="GET", **more):
		return self.call(method, "/auth/verify", bearer=token, **more)

	def test_a_good_token_is_204_with_the_names(self):
		email, body = self.member(groups="editors,staff")
		answer = self.expect(self.verify(body["access_token"]), 204)
		claims = decode(body["access_token"])[1]
		values = (email, claims["sub"], claims["sid"], "editors,staff")
		self.assertEqual(tuple(answer.headers["Variable-" + name] for name in NAMES), values)
		self.assertEqual(tuple(answer.headers[name] for name in ("X-Auth-User", "X-Auth-User-Id", "X-Auth-Session", "X-Auth-Groups")), values)
		self.assertEqual(answer.headers["Cache-Control"], "no-store")
		self.assertEqual(answer.body, b"")

	def test_a_bad_one_is_401(self):
		_, body = self.member()
		token = body["access_token"]
		now = int(time.time())
		for bad, code in ((None, "token_missing"), ("x", "token_invalid"), (body["refresh_token"], "token_invalid"),
		    (changed(token, "k" * 64), "token_invalid"), (changed(token, iat=now - 9, nbf=now - 9, exp=now - 1), "token_expired")):
			with self.subTest(code=code):
				answer = self.verify(bad)
				self.refused(answer, 401, code)
				for name in NAMES:
					self.assertIsNone(answer.headers["Variable-" + name])
		self.expect(self.post("/auth/logout", bearer=token), 204)
		self.refused(self.verify(token), 401, "token_revoked")

	def test_the_user_name_is_shown_where_there_is_one(self):
		name = f"warden{time.monotonic_ns() % 10 ** 9}"
		_, body = self.member(name)
		self.assertEqual(self.verify(body["access_token"]).headers["X-Auth-User"], name)

	def test_an_unverified_address_is_403(self):
		self.refused(self.verify(self.register()["access_token"]), 403, "email_unverified")

	def test_every_method_goes_through_the_check(self):
		_, body = self.member()
		for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
			with self.subTest(method=method):
				self.assertEqual(self.verify(method=method).status, 401)
				answer = self.verify(body["access_token"], method)
				self.assertEqual(answer.status, 204)
				self.assertIsNone(answer.headers["Allow"])
				self.assertEqual(answer.headers["X-Auth-User-Id"], body["user"]["id"])

	def test_no_body_type_or_length_is_looked_at(self):
		_, body = self.member()
		for data, media in ((b"x" * 20000, "text/plain"), (b"{", "application/json"), (b"a=%zz", "application/x-www-form-urlencoded")):
			for token, status in ((body["access_token"], 204), (None, 401)):
				with self.subTest(media=media, status=status):
					self.assertEqual(self.verify(token, "POST", body=data, headers={"Content-Type": media}).status, status)

	def test_changes_of_the_account_are_seen_at_once(self):
		email, body = self.member(groups="editors")
		self.assertEqual(self.server.command("user", "set", email, "groups=staff").returncode, 0)
		self.assertEqual(self.verify(body["access_token"]).headers["X-Auth-Groups"], "staff")
		self.assertEqual(self.server.command("user", "lock", email).returncode, 0)
		self.refused(self.verify(body["access_token"]), 401, "token_revoked")

	def test_a_client_chooses_no_group_and_no_role(self):
		_, body = self.member()
		headers = {"GATE_GROUP": "x", "Gate-Group": "x", "FCGI-Role": "AUTHORIZER", "X-Auth-User": "admin", "Variable-REMOTE_USER": "admin"}
		answer = self.expect(self.verify(body["access_token"], headers=headers), 204)
		self.assertNotIn("admin", str(answer.headers))


@over_both
class WithoutVerification(Case):
	settings = {"GATE_REQUIRES": "none"}

	def test_an_unverified_account_passes_under_its_id(self):
		body = self.register()
		answer = self.expect(self.get("/auth/verify", bearer=body["access_token"]), 204)
		self.assertEqual(answer.headers["X-Auth-User"], body["user"]["id"])
		named = self.register(username=f"pollen{time.monotonic_ns() % 10 ** 9}")
		answer = self.expect(self.get("/auth/verify", bearer=named["access_token"]), 204)
		self.assertEqual(answer.headers["X-Auth-User"], named["user"]["username"])
		self.assertIn(answer.headers["X-Auth-Groups"], (None, ""))


@over_both
class GroupOfTheServer(GateCase):
	options = {"extra": '$HTTP["url"] == "/auth/verify" { setenv.add-environment = ( "GATE_GROUP" => "editors" ) }'}

	def test_membership_is_demanded(self):
		_, editor = self.member(groups="staff,editors")
		_, other = self.member(groups="editor,editors2,staff")
		_, none = self.member()
		self.expect(self.get("/auth/verify", bearer=editor["access_token"]), 204)
		for body in (other, none):
			self.refused(self.get("/auth/verify", bearer=body["access_token"]), 403, "group_required")
		self.refused(self.get("/auth/verify"), 401, "token_missing")


# A folder of pages and a program behind the gate. The headers of our own names are taken off what clients send.
MEMBERS = """
$HTTP["url"] =~ "^/members/" {
	server.document-root = "{d}/site"
	setenv.set-request-header = ( "X-Auth-User" => "", "X_Auth_User" => "", "X-Auth-User-Id" => "", "X_Auth_User_Id" => "",
		"X-Auth-Session" => "", "X_Auth_Session" => "", "X-Auth-Groups" => "", "X_Auth_Groups" => "" )
	fastcgi.server = ( "" => (( %s, "mode" => "authorizer", "docroot" => "{d}/site" )) )
	cgi.assign = ( ".cgi" => "" )
}
$HTTP["url"] =~ "^/members/editors/" { setenv.add-environment = ( "GATE_GROUP" => "editors" ) }
"""
APPLICATION = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\ncat\n"


def build_site(directory):
	for folder in ("site/members/editors",):
		os.makedirs(os.path.join(directory, folder))
	for name in ("site/members/page.html", "site/members/editors/page.html"):
		with open(os.path.join(directory, name), "w") as out:
			out.write("for members only")
	program = os.path.join(directory, "site/members/app.cgi")
	with open(program, "w") as out:
		out.write(APPLICATION)
	os.chmod(program, 0o755)


class Authorizer(GateCase):
	options = {"extra": MEMBERS % "{copy}"}

	@classmethod
	def prepare(cls):
		build_site(cls.server.directory)

	def test_a_static_folder_is_closed_and_opens(self):
		_, body = self.member()
		self.refused(self.get("/members/page.html"), 401, "token_missing")
		self.refused(self.get("/members/page.html", bearer="x"), 401, "token_invalid")
		answer = self.expect(self.get("/members/page.html", bearer=body["access_token"]), 200)
		self.assertEqual(answer.body, b"for members only")
		self.expect(self.post("/auth/logout", bearer=body["access_token"]), 204)
		self.refused(self.get("/members/page.html", bearer=body["access_token"]), 401, "token_revoked")

	def test_html_is_no_reason_to_redirect_without_cookies(self):
		self.refused(self.get("/members/page.html", headers={"Accept": "text/html"}), 401, "token_missing")

	def test_absent_files_tell_nothing_without_a_token(self):
		self.refused(self.get("/members/absent.html"), 401, "token_missing")
		_, body = self.member()
		self.assertEqual(self.get("/members/absent.html", bearer=body["access_token"]).status, 404)

	def test_a_program_learns_who_it_is(self):
		email, body = self.member(groups="a,b")
		self.refused(self.get("/members/app.cgi"), 401, "token_missing")
		text = self.expect(self.get("/members/app.cgi", bearer=body["access_token"]), 200).text()
		claims = decode(body["access_token"])[1]
		for line in ("REMOTE_USER=" + email, "AUTH_USER_ID=" + claims["sub"], "AUTH_SESSION=" + claims["sid"], "AUTH_GROUPS=a,b"):
			self.assertIn(line, text.splitlines())

	def test_what_a_client_claims_does_not_arrive(self):
		email, body = self.member()
		names = ("X-Auth-User", "X_Auth_User", "X-Auth-User-Id", "X-Auth-Groups", "X_Auth_Groups", "Remote-User", "REMOTE_USER", "AUTH_GROUPS",
		    "Variable-REMOTE_USER", "Auth-User-Id", "x-auth-session")
		text = self.get("/members/app.cgi", bearer=body["access_token"], headers={name: "forged" for name in names}).text()
		lines = text.splitlines()
		self.assertIn("REMOTE_USER=" + email, lines)
		self.assertFalse([line for line in lines if line.startswith(("REMOTE_USER", "AUTH_", "HTTP_X_AUTH")) and "forged" in line])

	def test_a_body_reaches_the_program_and_not_the_gate(self):
		_, body = self.member()
		data = b"x" * 50000
		answer = self.call("POST", "/members/app.cgi", body=data, bearer=body["access_token"], headers={"Content-Type": "text/plain"})
		self.assertTrue(self.expect(answer, 200).body.endswith(data))
		self.assertEqual(self.call("POST", "/members/app.cgi", body=data).status, 401)

	def test_every_method_is_checked(self):
		for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"):
			self.assertEqual(self.call(method, "/members/app.cgi").status, 401, method)

	def test_a_folder_of_a_group(self):
		_, editor = self.member(groups="editors")
		_, other = self.member(groups="staff")
		url = "/members/editors/page.html"
		self.refused(self.get(url), 401, "token_missing")
		self.refused(self.get(url, bearer=other["access_token"]), 403, "group_required")
		self.expect(self.get(url, bearer=editor["access_token"]), 200)
		self.expect(self.get("/members/page.html", bearer=other["access_token"]), 200)

	def test_ways_around_the_folder_are_closed(self):
		for path in ("/members/../members/page.html", "/%6dembers/page.html", "//members/page.html", "/members//page.html", "/x/../members/page.html",
		    "/members/./page.html", "/members/%2e%2e/members/page.html", "/members/page.html/", "/members/page.html?x=/auth/login"):
			with self.subTest(path=path):
				answer = self.get(path)
				self.assertIn(answer.status, (400, 401, 404))
				self.assertNotIn(b"for members only", answer.body)


class AuthorizerWithCookies(CookieCase, GateCase):
	options = {"extra": MEMBERS % "{copy}"}

	@classmethod
	def prepare(cls):
		build_site(cls.server.directory)

	def asks(self, url, accept="text/html,application/xhtml+xml,*/*;q=0.8", method="GET", **more):
		return self.call(method, url, headers={"Accept": accept} if accept else {}, **more)

	def test_a_browser_is_led_to_the_sign_in_page_and_back(self):
		email, _ = self.member()
		answer = self.expect(self.asks("/members/page.html?a=b&c=%20d"), 302)
		where = urllib.parse.urlsplit(answer.headers["Location"])
		self.assertEqual(f"{where.scheme}://{where.netloc}{where.path}", self.server.origin + "/login")
		self.assertEqual(len(urllib.parse.parse_qsl(where.query)), 1)
		back = urllib.parse.parse_qs(where.query)["return"][0]
		self.assertEqual(back, "/members/page.html?a=b&c=%20d")
		signed_in = self.form("/auth/login", {"email": email, "password": PASSWORD, "return": back})
		self.leads(signed_in, back)
		page = self.asks(back, cookies=self.jar(signed_in))
		self.assertEqual(self.expect(page, 200).body, b"for members only")

	def test_only_a_get_that_accepts_html_is_led(self):
		for accept in (None, "application/json", "*/*", "image/png"):
			with self.subTest(accept=accept):
				self.refused(self.asks("/members/page.html", accept), 401, "token_missing")
		for method in ("POST", "HEAD", "PUT", "OPTIONS"):
			self.assertEqual(self.asks("/members/page.html", method=method).status, 401, method)
		self.assertEqual(self.asks("/members/page.html", "text/html").status, 302)

	def test_a_bad_cookie_is_led_too_and_a_refusal_of_the_person_is_not(self):
		_, jar = self.sign_up()
		self.assertEqual(self.asks("/members/page.html", cookies={GATE: "x"}).status, 302)
		self.refused(self.asks("/members/page.html", cookies=jar), 403, "email_unverified")

	def test_as_responder_it_stays_401(self):
		self.refused(self.asks("/auth/verify"), 401, "token_missing")

	def test_the_cookie_opens_and_sign_out_closes(self):
		email, _ = self.member()
		jar = self.sign_in(email)
		self.expect(self.asks("/members/page.html", cookies={GATE: jar[GATE]}), 200)
		text = self.asks("/members/app.cgi", cookies={GATE: jar[GATE]}).text()
		self.assertIn("REMOTE_USER=" + email, text.splitlines())
		self.leads_with(self.form("/auth/logout", {"csrf_token": jar["__Host-gb_csrf"]}, jar), "/login", done="1")
		self.assertEqual(self.asks("/members/page.html", cookies={GATE: jar[GATE]}).status, 302)

	def test_a_long_address_leads_back_to_the_start(self):
		answer = self.expect(self.asks("/members/page.html?" + "a" * 1100), 302)
		back = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query).get("return", ["/"])[0]
		self.assertLessEqual(len(back), 1024)


class AuthorizerBelowAPath(CookieCase, GateCase):
	settings = {"COOKIE_MODE": "on", "FRONTEND_URL": "{origin}/site"}
	options = {"extra": MEMBERS % "{copy}"}

	@classmethod
	def prepare(cls):
		build_site(cls.server.directory)

	def test_leads_to_the_sign_in_page_below_it(self):
		answer = self.expect(self.get("/members/page.html?a=b", headers={"Accept": "text/html"}), 302)
		where = urllib.parse.urlsplit(answer.headers["Location"])
		self.assertEqual(f"{where.scheme}://{where.netloc}{where.path}", self.server.origin + "/site/login")
		self.assertEqual(urllib.parse.parse_qs(where.query), {"return": ["/members/page.html?a=b"]})


class FailsClosed(GateCase):
	"""The gate is a copy of verify, so that it can be killed and broken."""
	options = {"extra": MEMBERS % '"bin-path" => "{d}/gate", "socket" => "{d}/gate.sock", "max-procs" => 2, "check-local" => "disable"'}

	@classmethod
	def prepare(cls):
		build_site(cls.server.directory)
		shutil.copy(executable("verify"), os.path.join(cls.server.directory, "gate"))

	def gates(self):
		return [pid for pid in processes() if arguments_of(pid) == [os.path.join(self.server.directory, "gate"), ""]]

	def kill(self):
		for pid in self.gates():
			tell(pid, signal.SIGKILL)
		wait_until(lambda: not self.gates(), 1)

	def status(self, token=None):
		answer = self.get("/members/page.html", bearer=token)
		self.assertEqual(b"for members only" in answer.body, answer.status == 200)
		return answer.status

	def test_1_a_killed_gate_opens_for_nobody_and_comes_back(self):
		_, body = self.member()
		token = body["access_token"]
		self.assertEqual((self.status(), self.status(token)), (401, 200))
		for _ in range(3):
			self.kill()
			self.assertGreaterEqual(self.status(), 400)
		self.assertTrue(wait_until(lambda: self.status(token) == 200))
		self.assertEqual(self.status(), 401)

	def test_2_a_gate_that_cannot_start_opens_for_nobody(self):
		_, body = self.member()
		gate = os.path.join(self.server.directory, "gate")
		for content in ("#!/bin/sh\nexit 1\n", "#!/bin/sh\nkill -SEGV $$\n", "no program"):
			os.rename(gate, gate + ".old")
			with open(gate, "w") as out:
				out.write(content)
			os.chmod(gate, 0o755)
			self.kill()
			for _ in range(5):
				for token in (None, "x", body["access_token"]):
					self.assertGreaterEqual(self.status(token), 400)
			os.rename(gate + ".old", gate)
		self.assertTrue(wait_until(lambda: self.status(body["access_token"]) == 200, 20))


if __name__ == "__main__":
	main()
