# SPDX-License-Identifier: MIT
"""
What must hold under every web server: one set of cases, for the servers of hosts.py.

	HOSTING=long	10,000 requests under load instead of some hundreds (make hosting)
"""
import itertools
import os
import signal
import time
import urllib.parse

from hosts import PAGE, PATH, executables, wait_until

from harness import PASSWORD, decode, tell, urls_of
from mailbox import Mailbox, NEW
from test_cookies import CSRF, CookieCase, GATE
from test_running import Load

from applications import Applications
from bans import HOSTILE, LINE, banned

IS_LONG = os.environ.get("HOSTING") == "long"
NAMES = ("REMOTE_USER", "AUTH_USER_ID", "AUTH_SESSION", "AUTH_GROUPS")
HEADERS = ("X-Auth-User", "X-Auth-User-Id", "X-Auth-Session", "X-Auth-Groups")
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def spellings(header):
	"""X-Auth-User, X-Auth_User, ...: which are one name to a program."""
	parts = header.split("-")
	return ["".join(map("".join, zip(parts, (*between, "")))) for between in itertools.product("-_", repeat=len(parts) - 1)]


FORGED = {**{name: "forged" for header in (*HEADERS, *(name.replace("_", "-") for name in NAMES)) for name in spellings(header)},
	"Variable-REMOTE_USER": "forged", "Gate-Group": "forged", "Proxy": "http://forged.example"}


class HostCase(CookieCase):
	"""One web server for the class, with the applications that it protects. What differs between servers stands here."""
	host, options = None, {}
	answers_405 = ("PATCH", "FOO")		# methods that reach the programs
	refuses_methods = {}			# those the server refuses by itself: {method: status}
	group_refusal = 403			# what a person without the group gets
	leads_browsers = False			# to the sign-in page by 302
	has_cgi = True
	replaces_at_once = True			# a process that ended, without being asked for it
	starts_on_demand = False		# processes, so that there is none before its first request
	pause = 0.2				# s between two disturbances under load
	restart_may_cost = False		# its graceful restart ends programs in the middle of requests: 500, 503 or no answer
	settings = {"COOKIE_MODE": "on", "MAIL_FROM": "noreply@bee.example"}

	@classmethod
	def make_server(cls):
		return cls.host(cls.settings, **cls.options)

	@classmethod
	def prepare(cls):
		applications = Applications(cls.server.path("wiki.sock"), cls.server.app_port)
		cls.addClassCleanup(applications.stop)
		cls.mailbox = Mailbox(cls.server.state)

	def member(self, groups=None):
		"""A verified account, as the operator adds one: (email, access token)"""
		email = self.email()
		self.assertEqual(self.server.command("user", "add", email, input=PASSWORD + "\n").returncode, 0)
		if groups:
			self.assertEqual(self.server.command("user", "set", email, "groups=" + groups).returncode, 0)
		return email, self.login(email)["access_token"]

	@property
	def has_processes(self):
		return self.server.mode == "fastcgi"


class Endpoints:
	"""Cases of HostCase: the programs behind the server."""
	def test_urls_are_exact(self):
		for name in executables():
			for url in urls_of(name):
				with self.subTest(url):
					self.assertNotEqual(self.get(url).status, 404)
					for other in (url + "X", url + "/", url + "/extra", url + ".fcgi"):
						self.assertEqual(self.get(other).status, 404, other)

	def test_files_are_served_with_their_headers(self):
		for url, media in (("/", "text/html"), ("/style.css", "text/css"), ("/pages.js", "text/javascript"), ("/favicon.svg", "image/svg+xml"), ("/texts/de.txt", "text/plain")):
			with self.subTest(url):
				answer = self.expect(self.get(url), 200)
				self.assertTrue(answer.headers["Content-Type"].startswith(media), answer.headers["Content-Type"])
				self.assertEqual(answer.headers.get_all("X-Content-Type-Options"), ["nosniff"])
				self.assertEqual(answer.headers["Content-Security-Policy"], self.get("/login").headers["Content-Security-Policy"])
		for url in ("/templates/login.html", "/auth/", "/auth", "/../guardbee.env", "/texts/"):
			self.assertIn(self.get(url).status, (400, 403, 404), url)

	def test_the_whole_path_of_an_account(self):
		email = self.email()
		first = self.register(email)
		self.expect(self.post("/auth/verify-email", {"token": self.mailbox.to(email).token}), 200)
		signed_in = self.login(email)
		self.assertTrue(self.me(signed_in["access_token"]).json()["email_verified"])
		renewed = self.expect(self.refresh(signed_in["refresh_token"]), 200).json()
		self.alive(renewed["access_token"])
		self.assertEqual(len(self.get("/auth/sessions", bearer=first["access_token"]).json()["sessions"]), 2)
		self.expect(self.post("/auth/logout", bearer=renewed["access_token"]), 204)
		self.dead(renewed["access_token"])
		self.expect(self.post("/auth/forgot-password", {"email": email}), 200)
		mail = self.mailbox.to(email)
		self.assertEqual(self.expect(self.get(mail.link.removeprefix(self.server.origin)), 200).headers["Referrer-Policy"], "no-referrer")
		self.expect(self.post("/auth/reset-password", {"token": mail.token, "new_password": NEW}), 200)
		self.dead(first["access_token"])
		self.alive(self.login(email, NEW)["access_token"])
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")

	def test_authorization_arrives(self):
		body = self.register()
		self.assertEqual(self.me(body["access_token"]).json()["id"], body["user"]["id"])
		self.refused(self.get("/auth/me"), 401, "token_missing")
		self.refused(self.me("x"), 401, "token_invalid")
		self.assertEqual(self.get("/auth/me", headers={"Authorization": "Bearer " + body["access_token"] + ", Bearer x"}).status, 401)

	def test_bodies_at_their_limits(self):
		for size, status, code in ((8192, 401, "token_invalid"), (8193, 413, "payload_too_large"), (1 << 20, 413, "payload_too_large")):
			pad = size - len('{"refresh_token":"x","pad":""}')
			body = b'{"refresh_token":"x","pad":"' + b"y" * pad + b'"}'
			for chunked in (False, True):
				with self.subTest(size=size, chunked=chunked):
					self.refused(self.post("/auth/refresh", body=body, chunked=chunked, headers={"Content-Type": "application/json"}), status, code)
		self.refused(self.post("/auth/refresh", body=b"", headers={"Content-Type": "application/json"}), 401, "token_missing")

	def test_methods(self):
		token = self.register()["access_token"]
		head = self.call("HEAD", "/auth/me", bearer=token)
		self.assertEqual((head.status, head.body), (200, b""))
		options = self.call("OPTIONS", "/auth/me")
		self.assertEqual((options.status, options.headers["Allow"], options.body), (204, "GET, HEAD, OPTIONS", b""))
		for method in self.answers_405:
			self.refused(self.call(method, "/auth/me", bearer=token), 405, "method_not_allowed")
		for method, status in self.refuses_methods.items():
			self.assertEqual(self.call(method, "/auth/me", bearer=token).status, status, method)

	def test_forged_headers_change_nothing(self):
		email = self.email()
		forged = {"X_Forwarded_For": "192.0.2.66", "X-Forwarded-For": "192.0.2.67", "X-Real-IP": "192.0.2.68", "Host": "forged.example", "Proxy": "http://forged.example",
			"X-Forwarded-Host": "forged.example"}
		self.register(email)
		self.mailbox.to(email)
		token = self.login(email, headers=forged)["access_token"]
		sessions = self.get("/auth/sessions", bearer=token).json()["sessions"]
		self.assertEqual({session["address"] for session in sessions}, {"127.0.0.1"})
		self.expect(self.post("/auth/forgot-password", {"email": email}, headers=forged), 200)
		self.assertTrue(self.mailbox.to(email).link.startswith(self.server.origin + "/reset-password?token="))

	def test_a_crashed_process_is_replaced(self):
		if not self.has_processes:
			self.skipTest("plain CGI keeps no process")
		token = self.register()["access_token"]
		self.alive(token)
		for pid in self.server.children("me"):
			tell(pid, signal.SIGKILL)
		self.assertTrue(wait_until(lambda: self.me(token).status == 200))


	def test_fail2ban_finds_failures_in_the_log_and_nothing_else(self):
		email = self.email()
		self.register(email)
		seen = self.server.log_sizes()
		self.refused(self.me("x"), 401, "token_invalid")
		self.login(email)
		self.refused(self.post("/auth/login", {"email": email, "password": "wrong" + PASSWORD}), 401, "invalid_credentials")
		self.refused(self.post("/auth/login", {"username": HOSTILE, "password": PASSWORD}, headers={"User-Agent": LINE, "Referer": LINE}), 401, "invalid_credentials")
		self.get("/" + LINE.replace(" ", "%20"))
		self.get("/auth/login/" + LINE.replace(" ", "%20"))
		self.assertTrue(wait_until(lambda: self.server.logs(seen).count("event=login_failed") >= 2))
		self.assertEqual(banned(self.server.logs(seen)), ["127.0.0.1"] * 2)


class Gate:
	"""Cases of HostCase: what lies behind the gate."""

	def page(self, path="/members/page.html", **more):
		answer = self.get(path, **more)
		self.assertEqual(PAGE in answer.text(), answer.status == 200)
		return answer

	def test_a_folder_of_files(self):
		_, token = self.member()
		self.assertEqual(self.page().headers["WWW-Authenticate"], "Bearer")
		self.assertEqual((self.page().status, self.page(bearer="x").status, self.page(bearer=token).status), (401, 401, 200))
		self.assertEqual(self.get("/members/absent.html").status, 401)
		self.assertEqual(self.get("/members/absent.html", bearer=token).status, 404)
		self.expect(self.post("/auth/logout", bearer=token), 204)
		self.assertEqual(self.page(bearer=token).status, 401)

	def test_an_unverified_address_stays_outside(self):
		self.assertEqual(self.page(bearer=self.register()["access_token"]).status, self.group_refusal)

	def test_a_folder_of_a_group(self):
		(_, editor), (_, other) = self.member("staff,editors"), self.member("staff")
		url = "/members/editors/page.html"
		self.assertEqual((self.page(url).status, self.page(url, bearer=other).status, self.page(url, bearer=editor).status), (401, self.group_refusal, 200))
		self.assertEqual(self.page(bearer=other).status, 200)

	def test_every_method_is_asked_about(self):
		for method in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE"):
			for path in ("/members/page.html", "/wiki/", "/shop/"):
				self.assertEqual(self.call(method, path).status, 401, (method, path))
		_, token = self.member()
		self.assertEqual(self.call("OPTIONS", "/shop/", bearer=token).status, 200)

	def test_no_way_around_the_folder(self):
		for path in ("/%6dembers/page.html", "//members/page.html", "/members//page.html", "/x/../members/page.html", "/members/./page.html",
		    "/members/%2e%2e/members/page.html", "/members/page.html/", "/members/page.html/x", "/members/page.html?x=/auth/login", "/MEMBERS/page.html",
		    "/members/%65ditors/page.html", "/members/x/../editors/page.html"):
			with self.subTest(path):
				self.assertIn(self.page(path).status, (400, 401, 404))
		_, token = self.member("staff")
		for path in ("/members/%65ditors/page.html", "/members/x/../editors/page.html", "/members//editors/page.html"):
			with self.subTest(path):
				self.assertIn(self.page(path, bearer=token).status, (400, 403, 404, self.group_refusal))

	def expected(self, email, token):
		claims = decode(token)[1]
		return dict(zip(NAMES, (email, claims["sub"], claims["sid"], "a,b")))

	def test_a_cgi_program_learns_who_it_is(self):
		if not self.has_cgi:
			self.skipTest("nginx runs no CGI")
		email, token = self.member("a,b")
		self.assertEqual(self.get("/members/app.cgi").status, 401)
		answer = self.call("POST", "/members/app.cgi", body=b"x" * 50000, bearer=token, headers={**FORGED, "Content-Type": "text/plain"})
		self.assertTrue(self.expect(answer, 200).body.endswith(b"x" * 50000))
		self.learnt(dict(line.split("=", 1) for line in answer.text().splitlines() if "=" in line), self.expected(email, token))

	def test_a_fastcgi_application_learns_who_it_is(self):
		email, token = self.member("a,b")
		self.assertEqual(self.get("/wiki/page").status, 401)
		answer = self.expect(self.call("POST", "/wiki/page", body=b"x" * 50000, bearer=token, headers={**FORGED, "Content-Type": "text/plain"}), 200).json()
		self.assertEqual(answer["body"], 50000)
		self.learnt(answer["variables"], self.expected(email, token))

	def learnt(self, variables, expected):
		self.assertEqual({name: variables.get(name) for name in NAMES}, expected)
		forged = [name for name, value in variables.items() if "forged" in value and (name.startswith(("REMOTE", "AUTH_", "HTTP_X_AUTH", "HTTP_PROXY", "GATE")))]
		self.assertEqual(forged, [])
		self.assertIn("forged", variables["HTTP_AUTH_USER_ID"], "the control: a client's header, which the README warns of")

	def test_a_proxied_application_learns_who_it_is(self):
		email, token = self.member("a,b")
		self.assertEqual(self.get("/shop/page").status, 401)
		answer = self.expect(self.call("POST", "/shop/page", body=b"x" * 50000, bearer=token, headers={**FORGED, "Content-Type": "text/plain"}), 200).json()
		self.assertEqual(answer["body"], 50000)
		self.learnt_by_headers([(name.lower().replace("_", "-"), value) for name, value in answer["headers"]], self.expected(email, token))

	def learnt_by_headers(self, headers, expected):
		found = [pair for pair in headers if pair[0].startswith("x-auth-")]
		self.assertEqual(sorted(found), sorted(zip(map(str.lower, HEADERS), expected.values())))

	def test_a_browser_signs_in_without_a_script_and_comes_back(self):
		email, _ = self.member()
		wanted = "/members/page.html?a=b&c=d"
		back = self.sign_in_page(self.page(wanted, headers=HTML), wanted)
		signed_in = self.form("/auth/login", {"email": email, "password": "wrong", "return": back})
		self.leads_with(signed_in, "/login", error="invalid_credentials", **{"return": back})
		signed_in = self.form("/auth/login", {"email": email, "password": PASSWORD, "return": back})
		self.leads(signed_in, wanted)
		jar = self.jar(signed_in)
		self.assertEqual(self.page(wanted, headers=HTML, cookies={GATE: jar[GATE]}).status, 200)
		self.assertEqual(self.page(wanted, cookies={GATE: "x"}).status, 401)
		self.leads_with(self.form("/auth/logout", {"csrf_token": jar[CSRF]}, jar), "/login", done="1")
		self.assertNotEqual(self.page(wanted, headers=HTML, cookies={GATE: jar[GATE]}).status, 200)

	def sign_in_page(self, answer, wanted):
		"""The page shown instead, or led to; returns what its form will send back as `return`."""
		if self.leads_browsers:
			self.expect(answer, 302)
			where = answer.headers["Location"].removeprefix(self.server.origin)
			self.assertEqual(where, "/login?return=" + urllib.parse.quote(wanted, safe="/"))
			answer = self.expect(self.get(where, headers=HTML), 200)
		else:
			self.expect(answer, 401)
			self.assertEqual(answer.headers["Content-Security-Policy"], self.get("/login").headers["Content-Security-Policy"])
			self.assertEqual(answer.headers["Cache-Control"].split(", ")[0], "no-store")
		self.assertIn('action="/auth/login"', answer.text())
		self.assertIn(f'name="return" value="{wanted}"'.replace("&", "&amp;"), answer.text())
		return wanted


class Htaccess:
	"""What a folder's own .htaccess can do under Apache."""
	def test_authorization_arrives_in_its_redirected_form(self):
		body = self.register()
		answer = self.expect(self.get("/rewritten/me", bearer=body["access_token"]), 200)
		self.assertEqual(answer.json()["id"], body["user"]["id"])
		self.refused(self.get("/rewritten/me"), 401, "token_missing")

	def test_a_folder_closed_by_its_own_htaccess(self):
		_, token = self.member()
		for name, text in ((".htaccess", self.server.adapt("apache/members.htaccess")), ("page.html", PAGE)):
			self.server.write("site/closed/" + name, text)
		self.assertEqual((self.page("/closed/page.html").status, self.page("/closed/page.html", bearer="x").status,
		    self.page("/closed/page.html", bearer=token).status, self.page("/closed/.htaccess", bearer=token).status), (401, 401, 200, 403))


class FailsClosed:
	"""Cases of HostCase, before it: a gate that is broken opens for nobody, and opens again once it works."""
	settings = {**HostCase.settings, "GATE_REQUIRES": "none"}

	def status(self, token=None, seconds=30):
		"""None: no answer in time"""
		connection_seconds, self.server.seconds = self.server.seconds, seconds
		try:
			answer = self.get("/members/page.html", bearer=token)
		except TimeoutError:
			return None
		finally:
			self.server.seconds = connection_seconds
		self.assertEqual(PAGE in answer.text(), answer.status == 200)
		return answer.status

	def opens_again(self, token):
		self.assertTrue(wait_until(lambda: self.status(token) == 200, 20))
		self.assertEqual(self.status(), 401)

	def test_0_unverified_addresses_where_it_requires_none(self):
		self.assertEqual((self.status(self.register()["access_token"]), self.status("x"), self.status()), (200, 401, 401))

	def test_1_killed(self):
		_, token = self.member()
		self.assertEqual((self.status(), self.status(token)), (401, 200))
		for _ in range(3):
			for pid in self.server.gates():
				tell(pid, signal.SIGKILL)
			self.assertIn(self.status(), (401, 500, 502, 503))
		self.opens_again(token)

	def stop_gates(self, stopped):
		"""Stops all that run and adds them to the set."""
		while late := set(self.server.gates()) - stopped:
			for pid in late:
				tell(pid, signal.SIGSTOP)
			stopped |= late
		return stopped

	def test_2_hanging(self):
		_, token = self.member()
		self.opens_again(token)
		self.server.settle(self.server.gates)
		stopped = self.stop_gates(set())
		try:
			for given in (None, "x", token):
				status = self.status(given, seconds=0.5)
				# one that the server has only just started may judge, and rightly
				judged = (200 if given == token else 401,) if set(self.server.gates()) - stopped else ()
				self.assertIn(status, (None, 500, 502, 503, 504, *judged), given)
				self.stop_gates(stopped)
		finally:
			for pid in stopped:
				tell(pid, signal.SIGCONT)
		self.opens_again(token)

	def without_gate(self, given):
		"""The status while no gate runs. One that was on its way when its program was taken away judges, and rightly."""
		while late := self.server.gates():
			for pid in late:
				tell(pid, signal.SIGKILL)
			time.sleep(0.02)
		status = self.status(given)
		return status if not self.server.gates() else self.without_gate(given)

	def test_3_cannot_start(self):
		_, token = self.member()
		path = self.server.path("web/verify.fcgi")
		broken = (None, "#!/bin/sh\nexit 1\n", "#!/bin/sh\nkill -SEGV $$\n", "no program")
		for text in broken if IS_LONG else broken[:2]:
			with self.subTest(text=text):
				os.rename(path, path + ".old")
				if text is not None:
					self.server.write("web/verify.fcgi", text, 0o755)
				for given in (None, "x", token):
					# None: on a busy machine etc/spawn tries for longer than we wait
					self.assertIn(self.without_gate(given), (None, 401, 500, 502, 503, 504))
				os.rename(path + ".old", path)
				self.recover()
				self.opens_again(token)

	def recover(self):
		"""What an operator's supervisor would do."""
		if self.server.spawned:
			self.server.revive()


class UnderLoad:
	"""Cases of HostCase: whatever ends in good order while requests come loses none of them."""
	requests = 10000 if IS_LONG else 300

	def asks(self):
		bearer = {"Authorization": "Bearer " + self.register()["access_token"], "Connection": "close"}
		data = b'{"refresh_token":"x","pad":"' + b"x" * 4000 + b'"}'
		post = ("POST", "/auth/refresh", data, {"Content-Type": "application/json", "Connection": "close"}, (401, "token_invalid"))
		return [("GET", "/auth/me", None, bearer, (200, None))] * 3 + [post] * 2

	def under_load(self, disturb, least):
		"""Requests, and while they come disturb(), now and then; the long form does not stop at `least` times."""
		wanted = self.requests if self.has_processes or IS_LONG else self.requests // 2
		count, end = 0, time.monotonic() + (1500 if IS_LONG else 60)
		with Load(self, self.asks()) as load:
			while (load.count < wanted or count < least) and time.monotonic() < end:
				if IS_LONG or count < least:
					self.ready()
					disturb()
					count += 1
				time.sleep(self.pause)
		self.assertGreaterEqual(load.count, wanted)
		return load, count

	def ready(self):
		"""A wrapper that has not become its program yet would end at once, and drop what waits for it."""
		if self.starts_on_demand:
			names = ("me", "refresh")
			self.assertTrue(wait_until(lambda: all(map(self.server.children, names)) and not self.server.starting(), 30))
			self.server.settle(lambda: (self.server.starting(), *map(self.server.children, names)))

	def nothing_lost(self, load, count, least):
		self.assertEqual(load.wrong, {}, f"of {load.count}; {self.story_of_logs()}")
		self.assertGreaterEqual(count, least)

	def story_of_logs(self):
		return "\n".join([line for line in self.server.logs().splitlines() if "status=" not in line and "HTTP/1." not in line][-12:])

	def test_sigterm_to_processes(self):
		if not self.has_processes:
			self.skipTest("plain CGI keeps no process")
		self.nothing_lost(*self.under_load(self.end_one_of_each, 3), 3)

	def end_one_of_each(self):
		for name in ("me", "refresh"):
			running = self.server.children(name)
			if running:
				tell(running[0], signal.SIGTERM)
				wait_until(lambda: running[0] not in self.server.children(name))
			if self.replaces_at_once:
				self.assertTrue(wait_until(lambda: len(self.server.children(name)) == len(running)))

	def renew(self):
		self.server.renew()
		self.assertTrue(wait_until(lambda: self.get("/auth/health").status == 200))

	def test_graceful_restarts(self):
		load, count = self.under_load(self.renew, 3)
		if self.restart_may_cost:
			cost = sum(load.wrong.pop(key) for key in list(load.wrong) if key[1] in ((500, None), (503, None), (0, "TimeoutError")))
			self.assertLessEqual(cost, load.count / 20)
		self.nothing_lost(load, count, 3)
