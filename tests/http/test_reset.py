# SPDX-License-Identifier: MIT
"""A forgotten password: the mail, its link, its code, its page, and what the answers do not tell."""
import concurrent.futures
import json
import os
import re
import statistics
import time
import unittest
import urllib.parse

from harness import PASSWORD, derived_key, main, over_both, sign
from mailbox import MailCase, NEW


@over_both
class Reset(MailCase):
	def test_the_whole_way_back_in(self):
		email, tokens = self.account()
		mail = self.asked(email)
		self.assertTrue(mail.link.startswith(self.server.origin + "/reset-password?token=ey"), mail.link)
		page = self.get(mail.link[len(self.server.origin):])
		self.expect(page, 200)
		self.assertIn("text/html", page.headers["Content-Type"])
		self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
		self.assertIn(f'name="token" value="{mail.token}"', page.text())
		answer = self.expect(self.reset(token=mail.token), 200)
		self.assertEqual(set(answer.json()), {"message"})
		self.assertEqual(answer.set_cookies(), {})
		self.dead(tokens["access_token"])
		self.refused(self.refresh(tokens["refresh_token"]), 403, "refresh_token_revoked")
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.login(email, NEW)
		self.refused(self.reset(token=mail.token), 400, "reset_token_invalid")
		self.assertIn("changed", self.mailbox.to(email, with_link=False).subject)

	def test_a_typed_code_in_place_of_the_link(self):
		email, _ = self.account()
		other, _ = self.account()
		mail = self.asked(email)
		self.refused(self.reset(email=other, code=mail.code), 400, "reset_token_invalid")
		self.refused(self.reset(email=email, code="AAAA-AAAA"), 400, "reset_token_invalid")
		self.expect(self.reset(email=email, code=mail.code.lower().replace("-", " ")), 200)
		self.login(email, NEW)
		self.refused(self.reset(email=email, code=mail.code), 400, "reset_token_invalid")
		self.refused(self.reset(token=mail.token), 400, "reset_token_invalid")

	def test_scanners_spend_nothing_and_change_nothing(self):
		email, _ = self.account()
		mail = self.asked(email)
		before = self.store_state()
		self.scanned(mail)
		self.refused(self.post("/auth/reset-password", {"token": mail.token}), 400, "missing_field")
		self.refused(self.reset(password="short", token=mail.token), 422, "weak_password")
		self.assertEqual(self.store_state(), before)
		self.expect(self.reset(token=mail.token), 200)
		self.assertNotEqual(self.store_state(), before)

	def test_a_dead_link_says_so_before_a_password_is_typed(self):
		for token in ("x", "a.b.c", '"><svg/onload=alert(1)>', "a" * 5000):
			page = self.get("/reset-password?token=" + urllib.parse.quote(token))
			self.expect(page, 200)
			self.assertNotIn("onload=alert", page.text())
			self.assertNotIn('name="token"', page.text())
		self.assertIn("/forgot-password", self.get("/reset-password?token=a.b.c").text())

	def test_the_link_is_judged_before_the_strength(self):
		email, _ = self.account()
		mail = self.asked(email)
		self.refused(self.reset(password="short", token="a.b.c"), 400, "reset_token_invalid")
		body = self.refused(self.reset(password="short", token=mail.token), 422, "weak_password")
		self.assertIn("too_short", body["reasons"])
		self.refused(self.reset(password="a" * 1025, token=mail.token), 422, "password_too_long")
		self.expect(self.reset(token=mail.token), 200)

	def test_fields(self):
		for fields, code in (({}, "missing_field"), ({"token": ""}, "missing_field"), ({"token": 1}, "invalid_field"),
		    ({"email": "ann@example.org"}, "missing_field"), ({"code": "AAAAAAAA"}, "missing_field"), ({"token": None}, "invalid_field")):
			with self.subTest(fields=fields):
				self.refused(self.reset(**fields), 400, code)
		self.refused(self.reset(email="ann", code="AAAAAAAA"), 422, "invalid_email")
		self.refused(self.post("/auth/forgot-password", {}), 400, "missing_field")
		self.refused(self.post("/auth/forgot-password", {"email": ["a@b.co"]}), 400, "invalid_field")
		self.refused(self.post("/auth/forgot-password", {"email": "a@b.co\r\nBcc: eve@example.org"}), 422, "invalid_email")

	def test_one_of_many_at_once_wins(self):
		email, _ = self.account()
		mail = self.asked(email)
		with concurrent.futures.ThreadPoolExecutor(8) as pool:
			answers = list(pool.map(lambda n: self.reset(password=f"{NEW}-{n}", token=mail.token), range(8)))
		self.assertEqual(sorted(answer.status for answer in answers), [200] + [400] * 7, [a.body for a in answers])
		winner = next(n for n, answer in enumerate(answers) if answer.status == 200)
		self.login(email, f"{NEW}-{winner}")

	def test_two_links_of_one_second_die_together(self):
		email, _ = self.account()
		first = self.asked(email)
		key = derived_key("reset")
		now = int(time.time())
		# a key alone makes no link
		forged = sign({"sub": "1", "id": "1", "type": "reset", "iat": now, "nbf": now, "exp": now + 60, "jti": "A" * 22}, key)
		self.refused(self.reset(token=forged), 400, "reset_token_invalid")
		self.expect(self.reset(token=first.token), 200)
		self.mailbox.new()
		second = self.asked(email)
		self.expect(self.reset(password=NEW + "-2", token=second.token), 200)
		self.refused(self.reset(token=first.token), 400, "reset_token_invalid")

	def test_a_link_dies_with_a_change_of_password(self):
		email, tokens = self.account()
		mail = self.asked(email)
		self.expect(self.post("/auth/change-password", {"current_password": PASSWORD, "new_password": NEW},
		    bearer=tokens["access_token"]), 204)
		self.refused(self.reset(token=mail.token), 400, "reset_token_invalid")
		self.login(email, NEW)

	def test_forgot_leaves_the_password_in_force(self):
		email, tokens = self.account()
		self.asked(email)
		self.login(email)
		self.alive(tokens["access_token"])

	def test_the_link_is_never_built_from_the_request(self):
		for target, more in (("", ""), ("", "Forwarded: host=evil.example;proto=https\r\nX-Forwarded-Proto: https\r\nX-Original-URL: //evil.example/\r\n"),
		    ("http://evil.example", "")):
			with self.subTest(target=target, more=more):
				email, _ = self.account()
				body = json.dumps({"email": email})
				answer = self.server.raw(f"POST {target}/auth/forgot-password HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n"
				    f"{more}Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
				self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
				mail = self.mailbox.to(email)
				self.assertTrue(mail.link.startswith(self.server.origin + "/"), mail.link)
				self.assertNotIn(b"evil.example", mail.raw)

	def test_mail_goes_to_the_address_that_is_stored(self):
		"""Letters that some lower-casing makes equal are not: else a stranger's mail box gets the link (CVE-2019-19844)."""
		email, _ = self.account(email="kim.is.here@example.org")
		for alike in ("\u212aim.is.here@example.org", "k\u0131m.is.here@example.org", "kim.i\u017f.here@example.org", "kim.is.here@\uff45xample.org"):
			with self.subTest(alike=alike):
				self.refused(self.post("/auth/forgot-password", {"email": alike}), 422, "invalid_email")
				self.refused(self.reset(email=alike, code="AAAAAAAA"), 422, "invalid_email")
		self.forgot("KIM.Is.Here@Example.ORG")
		self.mailbox.settle()
		self.assertEqual([mail.message["To"] for mail in self.mailbox.new()], [email])

	def test_nothing_of_the_request_is_in_a_header(self):
		email, _ = self.account()
		plain = self.asked(email)
		self.expect(self.reset(token=plain.token), 200)
		self.mailbox.new()
		odd = self.asked(email, headers={"User-Agent": "x\tBcc: eve@example.org <b>", "Accept-Language": "xx\tBcc: eve@example.org"})
		self.assertEqual(odd.message.keys(), plain.message.keys())
		self.assertEqual((odd.message["To"], odd.message["Cc"], odd.message["Bcc"]), (email, None, None))
		self.assertNotIn(b"eve@", odd.raw)

	def test_the_language_of_the_account(self):
		email = self.email()
		answer = self.post("/auth/register", {"email": email, "password": PASSWORD}, headers={"Accept-Language": "de-AT,de;q=0.9"})
		self.expect(answer, 201)
		self.assertIn("bestätigen", self.mailbox.to(email).subject)
		mail = self.asked(email, headers={"Accept-Language": "es"})
		self.assertIn("Neues Passwort", mail.subject)
		self.assertIn("30 Minuten", mail.text)
		self.assertIn('lang="de"', mail.html)

	def test_a_form_keeps_its_page_while_the_link_is_good(self):
		email, _ = self.account()
		mail = self.asked(email)
		weak = self.post("/auth/reset-password", form={"token": mail.token, "new_password": "short"})
		self.expect(weak, 422)
		self.assertIn("text/html", weak.headers["Content-Type"])
		self.assertIn(f'name="token" value="{mail.token}"', weak.text())
		self.assertNotIn("short", re.sub(r"<[^>]*>", "", weak.text()).split("too short")[0].split())
		empty = self.post("/auth/reset-password", form={"token": mail.token})
		self.expect(empty, 400)
		self.assertIn(mail.token, empty.text())
		done = self.post("/auth/reset-password", form={"token": mail.token, "new_password": NEW})
		self.expect(done, 303)
		self.assertEqual(done.headers["Location"], self.server.origin + "/reset-password?done=1")
		dead = self.post("/auth/reset-password", form={"token": mail.token, "new_password": NEW})
		self.expect(dead, 303)
		self.assertEqual(dead.headers["Location"], self.server.origin + "/reset-password?error=reset_token_invalid")
		self.login(email, NEW)

	def test_a_form_that_sends_the_password_twice_must_mean_one(self):
		email, tokens = self.account()
		mail = self.asked(email)
		before = self.store_state()
		fields = {"token": mail.token, "new_password": NEW}
		for again in (NEW + "x", NEW[:-1], NEW.upper(), "", " " + NEW, "\u00e9"):
			with self.subTest(again=again):
				page = self.expect(self.post("/auth/reset-password", form={**fields, "confirm_password": again}), 400)
				self.assertIn(f'name="token" value="{mail.token}"', page.text())
				self.assertRegex(page.text(), 'name="confirm_password"[^>]* aria-invalid="true"')
				self.assertRegex(page.text(), 'id="confirm-mistake"[^>]*>The two new passwords are not the same[.]<')
				self.assertNotIn(NEW, page.text())
		broken = urllib.parse.urlencode(fields) + "&confirm_password=%ff"
		self.expect(self.call("POST", "/auth/reset-password", body=broken.encode(),
		    headers={"Content-Type": "application/x-www-form-urlencoded"}), 400)
		for language, words in (("es", "Las dos contraseñas nuevas no son iguales."), ("de", "Die beiden neuen Passwörter sind nicht gleich.")):
			page = self.post("/auth/reset-password", form={**fields, "confirm_password": "x"}, headers={"Accept-Language": language})
			self.assertIn(words, page.text())
		self.assertEqual(self.store_state(), before)
		self.alive(tokens["access_token"])
		self.expect(self.post("/auth/reset-password", form={**fields, "confirm_password": NEW}), 303)
		self.login(email, NEW)

	def test_a_second_time_is_no_field_of_json(self):
		email, _ = self.account()
		mail = self.asked(email)
		self.expect(self.reset(token=mail.token, confirm_password="another"), 200)
		self.login(email, NEW)

	def test_forgot_by_form(self):
		email, _ = self.account()
		foreign = self.post("/auth/forgot-password", form={"email": email}, headers={"Origin": "https://evil.example"})
		self.expect(foreign, 303)
		self.assertIn("error=origin_forbidden", foreign.headers["Location"])
		done = self.post("/auth/forgot-password", form={"email": email}, headers={"Origin": self.server.origin})
		self.expect(done, 303)
		self.assertEqual(done.headers["Location"], self.server.origin + "/forgot-password?done=1")
		self.assertIsNotNone(self.mailbox.to(email).token)


class Oracle(MailCase):
	"""What forgot-password answers says nothing about an address."""
	def test_bytes_are_the_same_for_known_unknown_and_locked(self):
		known, _ = self.account()
		locked, _ = self.account()
		done = self.server.command("user", "lock", locked)
		self.assertEqual(done.returncode, 0, done.stderr)
		answers = [self.forgot(address) for address in (known, "nobody@example.org", locked, known)]
		self.assertEqual(len({answer.body for answer in answers}), 1)
		self.assertEqual(len({tuple(sorted(name for name in answer.headers.keys())) for answer in answers}), 1)
		self.mailbox.settle()
		self.assertEqual([mail.to for mail in self.mailbox.new()], [known])

	@unittest.skipUnless(os.environ.get("TIMING"), "a matter of statistics: make timing")
	def test_medians_of_known_and_unknown_are_alike(self):
		known, _ = self.account()
		times = {known: [], "nobody@example.org": []}
		for n in range(90):
			for address in times if n % 2 else reversed(list(times)):
				begun = time.perf_counter()
				self.forgot(address)
				if n >= 10:
					times[address].append(time.perf_counter() - begun)
			self.mailbox.settle()
		ratio = statistics.median(times[known]) / statistics.median(times["nobody@example.org"])
		self.assertTrue(0.8 < ratio < 1.25, ratio)

	def test_a_full_spool_is_503_for_all(self):
		known, _ = self.account()
		self.mailbox.settle()
		far = int(time.time()) + 3600
		names = [os.path.join(self.mailbox.spool, "%012d.01.%012d.%016x" % (far, far - 3600, n)) for n in range(10000)]
		for name in names:
			os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
		try:
			for address in (known, "nobody@example.org"):
				self.refused(self.post("/auth/forgot-password", {"email": address}), 503, "store_unavailable")
		finally:
			for name in names:
				os.unlink(name)
		self.asked(known)


if __name__ == "__main__":
	main()
