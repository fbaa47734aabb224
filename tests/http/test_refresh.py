# SPDX-License-Identifier: MIT
"""Refresh: rotation, the grace for a second tab, reuse, and where a token may stand."""
import time
from concurrent.futures import ThreadPoolExecutor

from harness import Case, base64url, changed, code_of, decode, derived_key, main, over_both

REFRESH_KEY = derived_key("refresh")


@over_both
class Rotation(Case):
	def test_a_new_pair_and_the_same_session(self):
		first = self.register()
		second = self.expect(self.refresh(first["refresh_token"]), 200).json()
		old, new = decode(first["refresh_token"])[1], decode(second["refresh_token"])[1]
		self.assertNotEqual(old["jti"], new["jti"])
		self.assertEqual((old["sid"], old["sub"]), (new["sid"], new["sub"]))
		self.alive(second["access_token"])
		self.alive(first["access_token"])		# an access token lives until its exp or its session's end
		third = self.expect(self.refresh(second["refresh_token"]), 200).json()
		self.alive(third["access_token"])

	def test_a_token_may_stand_in_the_body_or_the_header(self):
		token = self.register()["refresh_token"]
		token = self.expect(self.refresh("Bearer " + token), 200).json()["refresh_token"]
		token = self.expect(self.post("/auth/refresh", bearer=token), 200).json()["refresh_token"]
		token = self.expect(self.post("/auth/refresh", {}, bearer=token), 200).json()["refresh_token"]
		self.expect(self.post("/auth/refresh", {"refresh_token": token}, bearer=token), 200)

	def test_two_different_tokens_are_400(self):
		first, second = self.register(), self.register()
		answer = self.post("/auth/refresh", {"refresh_token": first["refresh_token"]}, bearer=second["refresh_token"])
		self.refused(answer, 400, "bad_request")
		answer = self.post("/auth/refresh", {"refresh_token": first["refresh_token"]}, bearer=first["access_token"])
		self.refused(answer, 400, "bad_request")
		self.expect(self.refresh(first["refresh_token"]), 200)
		self.expect(self.refresh(second["refresh_token"]), 200)

	def test_none_is_token_missing(self):
		for body in (None, {}, {"refresh_token": ""}, {"token": "x"}):
			with self.subTest(body=body):
				self.refused(self.post("/auth/refresh", body), 401, "token_missing")
		for value in (None, 1, [], {}):
			with self.subTest(value=value):
				self.refused(self.post("/auth/refresh", {"refresh_token": value}), 400, "invalid_field")

	def test_malformed_forged_wrong_or_expired_is_401(self):
		body = self.register()
		good = body["refresh_token"]
		now = int(time.time())
		for token, code in (("x", "token_invalid"), ("a.b.c", "token_invalid"), (good + "A", "token_invalid"), (body["access_token"], "token_invalid"),
		    (changed(good, "k" * 64), "token_invalid"), (changed(good, REFRESH_KEY, iat=now - 99, nbf=now - 99, exp=now - 9), "token_expired"),
		    (changed(good, REFRESH_KEY, jti="x"), "token_invalid"), (changed(good, REFRESH_KEY, jti=None), "token_invalid"),
		    (changed(good, REFRESH_KEY, sid=None), "token_invalid")):
			with self.subTest(token=token[:20], code=code):
				self.refused(self.refresh(token), 401, code)
		self.expect(self.refresh(good), 200)

	def test_well_signed_but_not_ours_is_403(self):
		body, other = self.register(), self.register()
		good = body["refresh_token"]
		text = self.refused(self.refresh(changed(good, REFRESH_KEY, sid=base64url(b"\7" * 16))), 403, "refresh_token_revoked")
		self.assertEqual(text["error"], "Invalid or expired refresh token")
		sub = other["user"]["id"]
		self.refused(self.refresh(changed(good, REFRESH_KEY, sub=sub, id=sub)), 403, "refresh_token_revoked")
		forged = base64url((1).to_bytes(8, "big") + b"\0" * 16)
		self.refused(self.refresh(changed(good, REFRESH_KEY, jti=forged)), 403, "refresh_token_revoked")
		self.expect(self.refresh(good), 200)		# a forged tag ends nothing

	def test_after_logout_it_is_403(self):
		body = self.register()
		self.expect(self.post("/auth/logout", bearer=body["access_token"]), 204)
		self.refused(self.refresh(body["refresh_token"]), 403, "refresh_token_revoked")


@over_both
class Grace(Case):
	settings = {"REFRESH_GRACE": "60"}

	def test_a_second_tab_gets_the_same_successor(self):
		spent = self.register()["refresh_token"]
		first, second = (self.expect(self.refresh(spent), 200).json() for _ in range(2))
		one, two = decode(first["refresh_token"])[1], decode(second["refresh_token"])[1]
		self.assertEqual([one[name] for name in ("sid", "jti", "iat", "exp")], [two[name] for name in ("sid", "jti", "iat", "exp")])
		self.alive(second["access_token"])
		self.expect(self.refresh(second["refresh_token"]), 200)

	def test_grace_is_for_the_parent_alone(self):
		first = self.register()["refresh_token"]
		second = self.refresh(first).json()["refresh_token"]
		third = self.refresh(second).json()
		self.refused(self.refresh(first), 403, "refresh_token_revoked")
		self.dead(third["access_token"])
		self.refused(self.refresh(third["refresh_token"]), 403, "refresh_token_revoked")

	def test_the_same_address_suffices(self):
		spent = self.register()["refresh_token"]
		self.expect(self.refresh(spent, headers={"User-Agent": "Firefox"}), 200)
		self.expect(self.refresh(spent, headers={"User-Agent": "Lynx"}), 200)

	def test_parallel_refreshes_leave_one_live_leaf(self):
		with ThreadPoolExecutor(8) as pool:
			for _ in range(5):
				spent = self.register()["refresh_token"]
				answers = list(pool.map(lambda _: self.refresh(spent), range(8)))
				self.assertEqual({answer.status for answer in answers}, {200})
				self.assertEqual(len({decode(answer.json()["refresh_token"])[1]["jti"] for answer in answers}), 1)
				self.expect(self.refresh(answers[0].json()["refresh_token"]), 200)


class GraceOfAStranger(Case):
	settings = {"REFRESH_GRACE": "60", "TRUSTED_PROXIES": "127.0.0.1"}

	def test_neither_address_nor_agent_is_reuse(self):
		def at(address, agent):
			return {"X-Forwarded-For": address, "User-Agent": agent}
		for headers, status in ((at("198.51.100.7", "Other"), 403), (at("192.0.2.99", "Other"), 200), (at("198.51.100.7", "Firefox"), 200)):
			with self.subTest(headers=headers):
				spent = self.register()["refresh_token"]
				new = self.expect(self.refresh(spent, headers=at("192.0.2.1", "Firefox")), 200).json()
				self.assertEqual(self.refresh(spent, headers=headers).status, status)
				if status == 403:
					self.dead(new["access_token"])


@over_both
class Reuse(Case):
	settings = {"REFRESH_GRACE": "0"}

	def test_a_spent_token_ends_the_session(self):
		email = self.email()
		first = self.register(email)
		other = self.login(email)
		second = self.expect(self.refresh(first["refresh_token"]), 200).json()
		self.refused(self.refresh(first["refresh_token"]), 403, "refresh_token_revoked")
		self.dead(second["access_token"])
		self.dead(first["access_token"])
		self.refused(self.refresh(second["refresh_token"]), 403, "refresh_token_revoked")
		self.alive(other["access_token"])		# other sessions of the account stay

	def test_reuse_is_logged_once(self):
		first = self.register()["refresh_token"]
		self.refresh(first)
		self.refresh(first)
		self.assertIn("refresh_reuse", self.server.logs())

	def test_parallel_refreshes_never_leave_two_live_leaves(self):
		with ThreadPoolExecutor(4) as pool:
			for _ in range(5):
				spent = self.register()["refresh_token"]
				answers = list(pool.map(lambda _: self.refresh(spent), range(4)))
				self.assertLessEqual(sum(answer.status == 200 for answer in answers), 1)
				self.assertEqual({code_of(answer) for answer in answers if answer.status != 200}, {"refresh_token_revoked"})


class AheadOfTheStore(Case):
	settings = {"REFRESH_GRACE": "60"}

	def test_a_generation_the_store_does_not_know_is_403(self):
		"""Only the seed can make one: a tag of our own making is a forgery, and ends nothing."""
		good = self.register()["refresh_token"]
		self.refused(self.refresh(changed(good, REFRESH_KEY, jti=base64url((9).to_bytes(8, "big") + b"\1" * 16))), 403, "refresh_token_revoked")
		self.expect(self.refresh(good), 200)


class ShortSessions(Case):
	settings = {"SESSION_MAX_AGE": "1", "EXPIRES_TOKEN_SESSION": "5", "API_JWT_REFRESH_EXPIRY_TIME": "10"}

	def test_no_token_outlives_the_session(self):
		body = self.register()
		self.assertEqual((body["expires_in"], body["refresh_expires_in"]), (60, 60))
		end = decode(body["refresh_token"])[1]["exp"]
		again = self.refresh(body["refresh_token"]).json()
		self.assertEqual(decode(again["refresh_token"])[1]["exp"], end)
		self.assertEqual(decode(again["access_token"])[1]["exp"], end)


if __name__ == "__main__":
	main()
