# SPDX-License-Identifier: MIT
"""A site below a path, behind a proxy that takes it away: whatever a browser is given to follow begins with it."""
import re
import urllib.parse

from harness import PASSWORD, main, over_both
from mailbox import NEW, Mailbox, MailCase
from test_cookies import CSRF, GATE, REFRESH, CookieCase

BASE = "/site"
ADDRESS = re.compile(r'\s(?:href|action|src)="([^"]*)"')


@over_both
class Below(CookieCase, MailCase):
	settings = {**MailCase.settings, "COOKIE_MODE": "on", "FRONTEND_URL": "{origin}" + BASE}

	@classmethod
	def begin(cls):
		cls.mailbox = Mailbox(cls.server.state)

	def leads_with(self, answer, path, **query):
		super().leads_with(answer, BASE + path, **query)

	def stands_below(self, page):
		self.assertIn("text/html", page.headers["Content-Type"])
		found = [address for address in ADDRESS.findall(page.text()) if not address.startswith("#")]
		self.assertGreater(len(found), 4)
		self.assertEqual([address for address in found if not address.startswith(BASE + "/")], [], page.text())

	def mailed(self, email, page):
		return self.stripped(self.mailbox.to(email).link, page)

	def stripped(self, link, page):
		"""The path of a mailed link, as the proxy hands it on."""
		start = f"{self.server.origin}{BASE}"
		self.assertTrue(link.startswith(f"{start}{page}?token="), link)
		return link[len(start):]

	def test_every_address_in_every_page(self):
		email, jar = self.sign_up()
		verify = self.mailed(email, "/verify-email")
		self.forgot(email)
		reset = self.mailed(email, "/reset-password")
		new = self.email()
		fields = {"current_password": PASSWORD, "new_email": new, "csrf_token": jar[CSRF]}
		self.leads_with(self.form("/auth/change-email", fields, jar), "/account", done="1")
		links = {mail.to: mail.link for mail in self.mailbox.new()}
		self.assertEqual(links[email], f"{self.server.origin}{BASE}/forgot-password")	# a notice
		change = self.stripped(links[new], "/change-email")
		for path in ("/login", "/login?by=username", "/login?return=/m", "/login?error=invalid_credentials", "/register", "/register?done=1",
		    "/forgot-password", "/forgot-password?done=1", reset, "/reset-password", "/reset-password?token=a.b.c", "/reset-password?done=1",
		    verify, "/verify-email", "/verify-email?token=a.b.c", "/verify-email?done=1", change, "/change-email", "/change-email?token=a.b.c"):
			with self.subTest(path=path[:30]):
				self.stands_below(self.expect(self.get(path), 200))
		page = self.expect(self.gate(jar, url="/account"), 200)
		self.stands_below(page)
		self.assertIn(f'action="{BASE}/auth/sessions"', page.text())
		weak = self.post("/auth/reset-password", form={"token": reset.split("=")[1], "new_password": "short"})
		self.stands_below(self.expect(weak, 422))

	def test_every_place_a_form_leads_to(self):
		email = self.email()
		answer = self.form("/auth/register", {"email": email, "password": PASSWORD})
		self.leads_with(answer, "/account", done="1")
		jar = self.jar(answer)
		paths = {name: next(part for part in attributes if part.startswith("path=")) for name, (_, attributes) in answer.set_cookies().items()}
		self.assertEqual(paths, {GATE: "path=/", CSRF: "path=/", REFRESH: f"path={BASE}/auth/"})
		csrf = {"csrf_token": jar[CSRF]}
		token = self.mailed(email, "/verify-email").split("=")[1]
		self.leads_with(self.post("/auth/verify-email", form={"token": token}), "/verify-email", done="1")
		self.leads_with(self.form("/auth/verify-email", {"token": token}), "/verify-email", error="reset_token_invalid")
		self.leads_with(self.form("/auth/forgot-password", {"email": email}), "/forgot-password", done="1")
		token = self.mailed(email, "/reset-password").split("=")[1]
		change = {"current_password": PASSWORD, "new_password": NEW, **csrf}
		self.leads_with(self.form("/auth/change-password", {**change, "new_password": "short"}, jar), "/account", error="weak_password")
		self.leads_with(self.form("/auth/change-password", change, jar), "/account", done="1")
		self.leads_with(self.form("/auth/reset-password", {"token": token, "new_password": NEW}), "/reset-password", error="reset_token_invalid")
		new = self.email()
		self.leads_with(self.form("/auth/change-email", {"current_password": NEW, "new_email": new, **csrf}, jar), "/account", done="1")
		token = self.mailed(new, "/change-email").split("=")[1]
		self.leads_with(self.form("/auth/change-email", {"token": token}), "/change-email", done="1")
		self.leads_with(self.form("/auth/change-email", {"token": token}), "/change-email", error="reset_token_invalid")
		self.leads_with(self.form("/auth/sessions", {"id": "x", **csrf}, jar), "/account", error="not_found")
		self.leads_with(self.form("/auth/login", {"email": new, "password": PASSWORD}), "/login", error="invalid_credentials")
		for asked, leads in ((f"{BASE}/auth/logout", f"{BASE}/"), ("https://evil.example", f"{BASE}/"), ("/elsewhere", "/elsewhere"), ("/auth/x", "/auth/x")):
			self.leads(self.form("/auth/login", {"email": new, "password": NEW, "return": asked}), leads)
		self.leads_with(self.form("/auth/logout", {"id": "x"}), "/login", error="token_missing")
		answer = self.form("/auth/logout", csrf, jar)
		self.leads_with(answer, "/login", done="1")
		self.assertIn(f"path={BASE}/auth/", answer.set_cookies()[REFRESH][1])
		self.assertIn("max-age=0", answer.set_cookies()[REFRESH][1])
		jar = self.sign_in(new, NEW)
		self.leads_with(self.form("/auth/delete-account", {"current_password": NEW, "csrf_token": jar[CSRF]}, jar), "/login", done="1")
		self.leads_with(self.get("/account"), "/login", **{"return": f"{BASE}/account"})
		self.leads_with(self.get("/account", cookies={GATE: jar[GATE]}), "/login", **{"return": f"{BASE}/account"})

	def test_where_one_stands_is_no_place_to_return_to(self):
		"""The page knows its own address by the whole of it: else it would lead back to itself after a sign-in."""
		self.assertIn(f'name="return" value="{BASE}/account"', self.get("/login").text())
		self.assertIn(f'name="return" value="{BASE}/"', self.get("/login?return=" + urllib.parse.quote(f"{BASE}/auth/me")).text())
		self.assertIn('name="return" value="/auth/me"', self.get("/login?return=/auth/me").text())


if __name__ == "__main__":
	main()
