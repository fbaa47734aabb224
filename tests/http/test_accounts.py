# SPDX-License-Identifier: MIT
"""Accounts: sign in, change and delete, ways of registration, the operator's lock."""
import time

from harness import Case, PASSWORD, decode, main, over_both

OTHER = "orchid-" + PASSWORD


@over_both
class Login(Case):
	def test_by_address_or_by_name(self):
		email, name = self.email(), f"bumble{time.monotonic_ns()}"
		self.register(email, username=name)
		for who in ({"email": email}, {"username": name}, {"username": name.upper()}):
			with self.subTest(who=who):
				body = self.expect(self.post("/auth/login", {**who, "password": PASSWORD}), 200).json()
				self.assertEqual((body["user"]["email"], body["user"]["username"]), (email, name))

	def test_not_both_and_not_neither(self):
		email, name = self.email(), f"bumble{time.monotonic_ns()}"
		self.register(email, username=name)
		both = self.post("/auth/login", {"email": email, "username": name, "password": PASSWORD})
		self.assertEqual(both.status, 400)
		self.refused(self.post("/auth/login", {"password": PASSWORD}), 400, "missing_field")
		self.refused(self.post("/auth/login", {"email": "", "username": "", "password": PASSWORD}), 400, "missing_field")
		self.refused(self.post("/auth/login", {"email": email}), 400, "missing_field")
		self.refused(self.post("/auth/login", {"email": email, "password": ""}), 400, "missing_field")
		for who in ({"email": None}, {"email": 1}, {"username": []}, {"username": True}):
			with self.subTest(who=who):
				self.refused(self.post("/auth/login", {**who, "password": PASSWORD}), 400, "invalid_field")

	def test_wrong_unknown_malformed_and_over_long_are_one_answer(self):
		email = self.email()
		self.register(email)
		answers = [self.post("/auth/login", body) for body in ({"email": email, "password": "wrong-walnut-77"},
		    {"email": self.email(), "password": PASSWORD}, {"email": "not an address", "password": PASSWORD}, {"email": "@", "password": "x"},
		    {"email": "a" * 300 + "@b.co", "password": PASSWORD}, {"username": "no-such-bee", "password": PASSWORD},
		    {"username": "Not A Name", "password": PASSWORD}, {"username": "x" * 500, "password": PASSWORD},
		    {"email": email, "password": PASSWORD + "x" * 1024}, {"email": email, "password": "x" * 4000},
		    {"email": " " + email, "password": PASSWORD}, {"email": email, "password": PASSWORD + " "},
		    {"email": email, "password": PASSWORD.upper()}, {"username": email, "password": PASSWORD})]
		for answer in answers:
			self.refused(answer, 401, "invalid_credentials")
		self.assertEqual(len({answer.body for answer in answers}), 1)
		self.login(email)

	def test_each_login_is_a_session_of_its_own(self):
		email = self.email()
		bodies = [self.register(email), self.login(email), self.login(email)]
		self.assertEqual(len({decode(body["access_token"])[1]["sid"] for body in bodies}), 3)
		for body in bodies:
			self.alive(body["access_token"])

	def test_an_address_that_is_taken_is_409_and_changes_nothing(self):
		email = self.email()
		first = self.register(email)
		answer = self.post("/auth/register", {"email": email.upper(), "password": OTHER, "username": "taker"})
		self.refused(answer, 409, "account_exists")
		self.refused(self.post("/auth/login", {"email": email, "password": OTHER}), 401, "invalid_credentials")
		self.alive(first["access_token"])
		self.register(username="taker")		# the name was not taken along


@over_both
class Change(Case):
	def change(self, token, current=PASSWORD, new=OTHER):
		return self.post("/auth/change-password", {"current_password": current, "new_password": new}, bearer=token)

	def test_change_password_ends_the_other_sessions(self):
		email = self.email()
		first, second = self.register(email), self.login(email)
		self.expect(self.change(first["access_token"]), 204)
		self.alive(first["access_token"])
		self.expect(self.refresh(first["refresh_token"]), 200)
		self.dead(second["access_token"])
		self.refused(self.refresh(second["refresh_token"]), 403, "refresh_token_revoked")
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.login(email, OTHER)

	def test_a_refused_change_changes_nothing(self):
		email = self.email()
		first, second = self.register(email), self.login(email)
		token = first["access_token"]
		self.refused(self.change(token, "wrong-walnut-77"), 401, "invalid_credentials")
		self.refused(self.change(token, PASSWORD, "short"), 422, "weak_password")
		self.refused(self.change(token, PASSWORD, "x" * 1025), 422, "password_too_long")
		self.refused(self.change(first["refresh_token"]), 401, "token_invalid")
		self.alive(token)
		self.alive(second["access_token"])
		self.login(email)

	def test_the_new_password_must_not_be_personal(self):
		email = "melisande.honeycomb@example.org"
		token = self.register(email)["access_token"]
		self.assertIn("personal", self.refused(self.change(token, new="melisande.honeycomb"), 422, "weak_password")["reasons"])

	def test_delete_account_leaves_nothing_alive(self):
		email, name = self.email(), f"drone{time.monotonic_ns()}"
		first, second = self.register(email, username=name), self.login(email)
		token = first["access_token"]
		self.refused(self.post("/auth/delete-account", {"current_password": "wrong-walnut-77"}, bearer=token), 401, "invalid_credentials")
		self.refused(self.post("/auth/delete-account", {}, bearer=token), 400, "missing_field")
		self.alive(token)
		self.expect(self.post("/auth/delete-account", {"current_password": PASSWORD}, bearer=token), 204)
		for body in (first, second):
			self.dead(body["access_token"])
			self.refused(self.refresh(body["refresh_token"]), 403, "refresh_token_revoked")
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		again = self.register(email)			# the address is free again, and a new account
		self.assertNotEqual(again["user"]["id"], first["user"]["id"])
		answer = self.post("/auth/register", {"email": self.email(), "password": PASSWORD, "username": name})
		self.refused(answer, 409, "account_exists")	# the name is not: tokens that name it may still be about

	def test_change_email_begins_with_the_password(self):
		email = self.email()
		token = self.register(email)["access_token"]
		def change(**fields):
			return self.post("/auth/change-email", fields, bearer=token)
		self.refused(change(current_password="wrong-walnut-77", new_email=self.email()), 401, "invalid_credentials")
		self.refused(change(current_password=PASSWORD), 400, "missing_field")
		self.refused(change(current_password=PASSWORD, new_email="bad"), 422, "invalid_email")
		self.expect(change(current_password=PASSWORD, new_email=self.email()), 202)
		self.assertEqual(self.me(token).json()["email"], email)		# until the link is followed


@over_both
class Locked(Case):
	def test_the_operator_locks_and_unlocks(self):
		email = self.email()
		first, second = self.register(email), self.login(email)
		self.assertEqual(self.server.command("user", "lock", email).returncode, 0)
		for body in (first, second):
			self.dead(body["access_token"])
			self.refused(self.refresh(body["refresh_token"]), 403, "refresh_token_revoked")
			self.refused(self.get("/auth/verify", bearer=body["access_token"]), 401, "token_revoked")
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.assertEqual(self.server.command("user", "unlock", email).returncode, 0)
		self.login(email)
		self.dead(first["access_token"])

	def test_locking_nobody_fails(self):
		self.assertNotEqual(self.server.command("user", "lock", "nobody@example.net").returncode, 0)


@over_both
class PendingRegistration(Case):
	settings = {"REGISTRATION": "verify"}

	def test_register_answers_202_alike_for_a_taken_address(self):
		self.assertEqual(self.server.command("user", "add", "taken@example.org", input=PASSWORD + "\n").returncode, 0)
		fresh, taken = (self.post("/auth/register", {"email": email, "password": PASSWORD}) for email in (self.email(), "taken@example.org"))
		self.expect(fresh, 202)
		self.assertEqual((taken.status, taken.body), (202, fresh.body))
		self.assertEqual(set(fresh.json()), {"message"})
		self.assertEqual(fresh.set_cookies(), {})

	def test_nothing_is_open_before_the_link_is_followed(self):
		email = self.email()
		self.expect(self.post("/auth/register", {"email": email, "password": PASSWORD}), 202)
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")

	def test_refusals_are_those_of_open_registration(self):
		self.refused(self.post("/auth/register", {"email": "bad", "password": PASSWORD}), 422, "invalid_email")
		self.refused(self.post("/auth/register", {"email": self.email(), "password": "short"}), 422, "weak_password")


class ClosedRegistration(Case):
	settings = {"REGISTRATION": "closed"}

	def test_register_is_403_and_the_operator_still_adds(self):
		self.refused(self.post("/auth/register", {"email": self.email(), "password": PASSWORD}), 403, "registration_closed")
		self.assertEqual(self.server.command("user", "add", "invited@example.org", input=PASSWORD + "\n").returncode, 0)
		self.assertIs(self.login("invited@example.org")["user"]["email_verified"], True)


class HashesAreRenewed(Case):
	def test_login_renews_a_hash_of_older_parameters(self):
		email = self.email()
		self.register(email)
		self.server.settings["ARGON2_TIME_COST"] = "2"
		self.server.restart()
		self.login(email)
		self.login(email)
		self.server.settings["ARGON2_TIME_COST"] = "1"
		self.server.restart()
		self.login(email)


if __name__ == "__main__":
	main()
