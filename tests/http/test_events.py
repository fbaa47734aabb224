# SPDX-License-Identifier: MIT
"""What happens to an account stands in the log by its name, with whose it was and where from, once."""
import re

from harness import PASSWORD, main, wait_until
from mailbox import MailCase, NEW

OTHER = "granite-ferry-sixty-owls"


class Events(MailCase):
	def events(self, user):
		"""As the log tells them of one account."""
		lines = [line for line in self.server.logs().splitlines() if f" user={user} " in line]
		self.assertTrue(all(" address=127.0.0.1 " in line for line in lines), lines)
		return [found[1] for line in lines if (found := re.search(r" event=(\S+)", line))]

	def test_each_is_named_once(self):
		email, tokens = self.account()
		user, bearer = tokens["user"]["id"], tokens["access_token"]
		self.post("/auth/login", {"email": email, "password": "wrong-but-well-formed"})
		self.post("/auth/change-password", {"current_password": "wrong-but-well-formed", "new_password": NEW}, bearer=bearer)
		renewed = self.refresh(tokens["refresh_token"]).json()
		self.expect(self.post("/auth/change-password", {"current_password": PASSWORD, "new_password": OTHER}, bearer=renewed["access_token"]), 204)
		self.mailbox.new()
		self.expect(self.reset(token=self.asked(email).token), 200)
		self.mailbox.new()
		bearer = self.login(email, NEW)["access_token"]
		moved = self.email()
		self.expect(self.post("/auth/change-email", {"current_password": NEW, "new_email": moved}, bearer=bearer), 202)
		self.expect(self.post("/auth/change-email", {"token": self.mailbox.to(moved).token}), 200)
		self.expect(self.post("/auth/logout", {}, bearer=bearer), 204)
		bearer = self.login(moved, NEW)["access_token"]
		self.expect(self.post("/auth/delete-account", {"current_password": NEW}, bearer=bearer), 204)
		expected = ["register", "password_wrong", "refresh", "password_changed", "password_reset", "login", "email_change", "email_changed",
		    "logout", "login", "account_deleted"]
		self.assertTrue(wait_until(lambda: len(self.events(user)) >= len(expected)), self.events(user))
		self.assertEqual(sorted(self.events(user)), sorted(expected))
		self.assertIn("event=login_failed", self.server.logs())		# whose name it was is not known

	def test_a_proof_of_an_address(self):
		email = self.email()
		user = self.register(email)["user"]["id"]
		link = self.mailbox.to(email).token
		self.refused(self.post("/auth/verify-email", {"token": "x"}), 400, "reset_token_invalid")
		self.expect(self.post("/auth/verify-email", {"token": link}), 200)
		self.assertTrue(wait_until(lambda: self.events(user) == ["register", "email_verified"]), self.events(user))


if __name__ == "__main__":
	main()
