# SPDX-License-Identifier: MIT
"""The messages that MAIL_TRANSPORT=file leaves in STATE/mail, and test classes that read them."""
import email
import email.policy
import glob
import hashlib
import os
import re
import time

from harness import Case, slurp, wait_until

NEW = "plum-orbit-kettle-91"


class Mail:
	def __init__(self, path):
		self.raw = slurp(path)
		self.message = email.message_from_bytes(self.raw, policy=email.policy.default)
		self.to, self.subject = self.message["To"], self.message["Subject"]
		self.text, self.html = ("\n".join(self.message.get_body((part,)).get_content().splitlines()) for part in ("plain", "html"))
		links = re.findall(r"^(https?://\S+)$", self.text, re.M)
		self.link = links[0] if links else None
		self.token = self.link.split("?token=")[1] if self.link and "?token=" in self.link else None
		codes = re.findall(r"^([A-Z2-9]{4}-[A-Z2-9]{4})$", self.text, re.M)
		self.code = codes[0] if codes else None


class Mailbox:
	def __init__(self, state):
		self.folder, self.spool, self.seen = os.path.join(state, "mail"), os.path.join(state, "spool"), set()

	def waiting(self):
		return [name for name in os.listdir(self.spool) if not name.startswith(".")] if os.path.isdir(self.spool) else []

	def settle(self, seconds=15):
		"""Until the deliverer has dealt with every entry."""
		if not wait_until(lambda: not self.waiting(), seconds):
			raise AssertionError(f"entries stay in the spool: {self.waiting()}")

	def new(self):
		"""What came since the last look, in no order."""
		self.settle()
		found = [path for path in glob.glob(os.path.join(self.folder, "*.eml")) if path not in self.seen]
		self.seen.update(found)
		return [Mail(path) for path in found]

	def to(self, address, with_link=True):
		"""The one new message to an address that has (or has not) a link to spend; others are passed over."""
		end = time.monotonic() + 15
		while True:
			found = [mail for mail in self.new() if mail.to == address and (mail.token is not None) == with_link]
			if found or time.monotonic() > end:
				break
			time.sleep(0.05)
		if len(found) != 1:
			raise AssertionError(f"{len(found)} messages to {address}")
		return found[0]


class MailCase(Case):
	settings = {"MAIL_FROM": "noreply@bee.example", "SITE_NAME": "Bee"}

	@classmethod
	def begin(cls):
		cls.mailbox = Mailbox(cls.server.state)

	def forgot(self, email, **more):
		return self.expect(self.post("/auth/forgot-password", {"email": email}, **more), 200)

	def account(self, email=None, **more):
		"""(address, tokens) of a new account whose mail about verification is out of the way."""
		email = email or self.email()
		tokens = self.register(email, **more)
		self.mailbox.to(email)
		return email, tokens

	def asked(self, email, **more):
		self.forgot(email, **more)
		return self.mailbox.to(email)

	def reset(self, password=NEW, **fields):
		return self.post("/auth/reset-password", {"new_password": password, **fields})

	def scanned(self, mail):
		"""A mail scanner opens a link as often as it likes: that changes nothing. The page as a person then gets it."""
		path, before = mail.link[len(self.server.origin):], self.store_state()
		for _ in range(5):
			page = self.expect(self.get(path), 200)
			self.expect(self.get("/auth" + path), 200)
		self.assertEqual(self.expect(self.call("HEAD", path), 200).body, b"")
		self.assertEqual(self.store_state(), before)
		return page

	def store_state(self):
		digest = hashlib.sha256()
		for path in sorted(glob.glob(os.path.join(self.server.state, "store", "*"))):
			digest.update(open(path, "rb").read())
		return digest.hexdigest()
