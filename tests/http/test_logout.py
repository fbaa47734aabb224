# SPDX-License-Identifier: MIT
"""Logout, and the list of sessions."""
import time

from harness import Case, base64url, changed, decode, derived_key, main, over_both

REFRESH_KEY = derived_key("refresh")


@over_both
class Logout(Case):
	def expired(self, token, key=None):
		now = int(time.time())
		claims = {"iat": now - 100, "nbf": now - 100, "exp": now - 10}
		return changed(token, key, **claims) if key else changed(token, **claims)

	def test_an_access_token_ends_its_session_at_once(self):
		email = self.email()
		first, other = self.register(email), self.login(email)
		self.expect(self.post("/auth/logout", bearer=first["access_token"]), 204)
		self.dead(first["access_token"])
		self.refused(self.get("/auth/verify", bearer=first["access_token"]), 401, "token_revoked")
		self.refused(self.refresh(first["refresh_token"]), 403, "refresh_token_revoked")
		self.alive(other["access_token"])

	def test_a_refresh_token_in_the_body_or_header_ends_it_too(self):
		first, second = self.register(), self.register()
		self.expect(self.post("/auth/logout", {"refresh_token": first["refresh_token"]}), 204)
		self.dead(first["access_token"])
		self.expect(self.post("/auth/logout", bearer=second["refresh_token"]), 204)
		self.dead(second["access_token"])

	def test_a_token_of_any_generation_ends_it(self):
		first = self.register()
		second = self.refresh(first["refresh_token"]).json()
		third = self.refresh(second["refresh_token"]).json()
		self.expect(self.post("/auth/logout", {"refresh_token": first["refresh_token"]}), 204)
		self.dead(third["access_token"])

	def test_an_expired_token_still_ends_a_live_session(self):
		first, second = self.register(), self.register()
		self.expect(self.post("/auth/logout", bearer=self.expired(first["access_token"])), 204)
		self.dead(first["access_token"])
		self.expect(self.post("/auth/logout", {"refresh_token": self.expired(second["refresh_token"], REFRESH_KEY)}), 204)
		self.dead(second["access_token"])

	def test_again_is_204(self):
		body = self.register()
		for _ in range(3):
			self.expect(self.post("/auth/logout", bearer=body["access_token"]), 204)
		self.expect(self.post("/auth/logout", {"refresh_token": body["refresh_token"]}), 204)

	def test_badly_signed_or_none_is_401(self):
		token = self.register()["access_token"]
		self.refused(self.post("/auth/logout"), 401, "token_missing")
		self.refused(self.post("/auth/logout", {"refresh_token": ""}), 401, "token_missing")
		self.refused(self.post("/auth/logout", bearer=changed(token, "k" * 64)), 401, "token_invalid")
		self.refused(self.post("/auth/logout", {"refresh_token": "x"}), 401, "token_invalid")
		self.alive(token)

	def test_two_tokens_are_400(self):
		body = self.register()
		answer = self.post("/auth/logout", {"refresh_token": body["refresh_token"]}, bearer=body["access_token"])
		self.refused(answer, 400, "bad_request")
		self.alive(body["access_token"])

	def test_all_ends_every_session(self):
		for door in ("access", "refresh"):
			email = self.email()
			first, second, third = self.register(email), self.login(email), self.login(email)
			stranger = self.register()
			if door == "access":
				self.expect(self.post("/auth/logout", {"all": True}, bearer=first["access_token"]), 204)
			else:
				self.expect(self.post("/auth/logout", {"all": True, "refresh_token": first["refresh_token"]}), 204)
			for body in (first, second, third):
				self.dead(body["access_token"])
			self.alive(stranger["access_token"])

	def test_all_needs_a_token_that_is_good_now(self):
		email = self.email()
		first, other = self.register(email), self.login(email)
		self.refused(self.post("/auth/logout", {"all": True}, bearer=self.expired(first["access_token"])), 401, "token_expired")
		second = self.refresh(first["refresh_token"]).json()
		self.refused(self.post("/auth/logout", {"all": True, "refresh_token": first["refresh_token"]}), 401, "token_revoked")
		expired = self.expired(second["refresh_token"], REFRESH_KEY)
		self.refused(self.post("/auth/logout", {"all": True, "refresh_token": expired}), 401, "token_expired")
		self.alive(other["access_token"])
		self.expect(self.post("/auth/logout", bearer=second["access_token"]), 204)
		self.refused(self.post("/auth/logout", {"all": True}, bearer=second["access_token"]), 401, "token_revoked")
		self.alive(other["access_token"])

	def test_all_is_a_boolean(self):
		email = self.email()
		first, other = self.register(email), self.login(email)
		for value in ("true", 1, None, []):
			with self.subTest(value=value):
				self.refused(self.post("/auth/logout", {"all": value}, bearer=first["access_token"]), 400, "invalid_field")
		self.expect(self.post("/auth/logout", {"all": False}, bearer=first["access_token"]), 204)
		self.alive(other["access_token"])


@over_both
class Sessions(Case):
	def sessions(self, token):
		return self.expect(self.get("/auth/sessions", bearer=token), 200).json()["sessions"]

	def test_the_list_shows_each_session_once(self):
		email = self.email()
		first = self.register(email)
		second = self.login(email, headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
		self.register()			# somebody else's is not in the list
		rows = self.sessions(first["access_token"])
		self.assertEqual({row["id"] for row in rows}, {decode(body["access_token"])[1]["sid"] for body in (first, second)})
		for row in rows:
			self.assertEqual(set(row), {"id", "device", "address", "created_at", "last_used_at", "current"})
			self.assertEqual(row["address"], "127.0.0.1")
			self.assertIs(type(row["created_at"]), int)
			self.assertIs(type(row["last_used_at"]), int)
		self.assertEqual([row["id"] for row in rows if row["current"] is True], [decode(first["access_token"])[1]["sid"]])
		self.assertTrue(any("Firefox" in (row["device"] or "") for row in rows))

	def test_delete_ends_one(self):
		email = self.email()
		first, second = self.register(email), self.login(email)
		answer = self.call("DELETE", "/auth/sessions?id=" + decode(second["access_token"])[1]["sid"], bearer=first["access_token"])
		self.expect(answer, 204)
		self.dead(second["access_token"])
		self.alive(first["access_token"])
		self.assertEqual(len(self.sessions(first["access_token"])), 1)

	def test_delete_of_the_current_one_is_a_logout(self):
		body = self.register()
		answer = self.call("DELETE", "/auth/sessions?id=" + decode(body["access_token"])[1]["sid"], bearer=body["access_token"])
		self.expect(answer, 204)
		self.dead(body["access_token"])

	def test_unknown_and_foreign_ids_are_404(self):
		mine, foreign = self.register(), self.register()
		gone = self.login(mine["user"]["email"])
		self.post("/auth/logout", bearer=gone["access_token"])
		for session in ("x", "AAAA", base64url(b"\1" * 16), decode(foreign["access_token"])[1]["sid"], decode(gone["access_token"])[1]["sid"], "%00", "a" * 500):
			with self.subTest(session=session[:30]):
				answer = self.call("DELETE", "/auth/sessions?id=" + session, bearer=mine["access_token"])
				if session == "%00":
					self.assertIn(answer.status, (400, 404))
				else:
					self.refused(answer, 404, "not_found")
		self.alive(foreign["access_token"])
		self.refused(self.call("DELETE", "/auth/sessions", bearer=mine["access_token"]), 400, "missing_field")

	def test_nobody_sees_them_without_a_token(self):
		self.refused(self.get("/auth/sessions"), 401, "token_missing")
		self.refused(self.call("DELETE", "/auth/sessions?id=x"), 401, "token_missing")


class FewSessions(Case):
	settings = {"SESSIONS_PER_USER": "3"}

	def test_the_least_recently_used_ends(self):
		email = self.email()
		first = self.register(email)
		time.sleep(1.1)
		second, third = self.login(email), self.login(email)
		time.sleep(1.1)
		first = self.refresh(first["refresh_token"]).json()		# used again: now the youngest
		time.sleep(1.1)
		fourth = self.login(email)
		alive = [self.me(body["access_token"]).status == 200 for body in (first, second, third, fourth)]
		self.assertEqual(alive.count(True), 3)
		self.assertTrue(alive[0] and alive[3])


if __name__ == "__main__":
	main()
