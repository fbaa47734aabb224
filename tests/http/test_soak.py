# SPDX-License-Identifier: MIT
"""
Many people at once, for SOAK seconds: each keeps a model of his account and his sessions, does what comes to his
mind, and knows what every answer must be. Meanwhile processes are told to end, one after the other.
"""
import os
import random
import signal
import threading
import time
from collections import Counter

from fastcgi import is_sanitized
from harness import PASSWORD, decode, main, tell
from mailbox import MailCase

SECONDS = float(os.environ.get("SOAK", "8"))
PEOPLE = 8
SHARED = 2			# accounts that everybody is signed in to
SESSIONS = 3			# of one person in one account: 8 times 3 stay below SESSIONS_PER_USER
PROGRAMS = ("login", "refresh", "me", "verify", "logout", "sessions")


class Session:
	def __init__(self, email, tokens):
		self.email, self.access, self.refresh, self.old = email, tokens["access_token"], tokens["refresh_token"], None
		self.id = decode(self.access)[1]["sid"]


class Person:
	"""An account of his own, which he may do anything with, and his sessions in those he shares."""
	def __init__(self, case, number, shared):
		self.case, self.random, self.shared = case, random.Random(number), shared
		self.email, self.password = f"soak{number}@example.org", f"{PASSWORD}-{number}"
		self.live, self.ended = [], []
		self.did = Counter()
		self.keep(self.email, case.register(self.email, self.password))

	def keep(self, email, tokens):
		self.live.append(Session(email, tokens))

	def end(self, sessions):
		self.ended = (self.ended + sessions)[-8:]
		self.live = [session for session in self.live if session not in sessions]

	def of(self, email):
		return [session for session in self.live if session.email == email]

	def a_session(self, of=None):
		among = self.live if of is None else self.of(of)
		if not among:
			email = of or self.email
			self.keep(email, self.case.login(email, self.password if email == self.email else PASSWORD))
			return self.live[-1]
		return self.random.choice(among)

	# --- what comes to his mind

	def sign_in(self):
		email = self.random.choice([self.email, *self.shared])
		if len(self.of(email)) < SESSIONS:
			self.keep(email, self.case.login(email, self.password if email == self.email else PASSWORD))

	def mistype(self):
		email = self.random.choice([self.email, "nobody@example.org"])
		self.case.refused(self.case.post("/auth/login", {"email": email, "password": "wrong-" + self.password}), 401, "invalid_credentials")

	def look(self):
		session = self.a_session()
		answer = self.case.expect(self.case.me(session.access), 200).json()
		self.case.assertEqual(answer["email"], session.email)

	def pass_the_gate(self):
		session = self.a_session()
		self.case.expect(self.case.get("/auth/verify", bearer=session.access), 204)

	def renew(self):
		session = self.a_session()
		pair = self.case.expect(self.case.refresh(session.refresh), 200).json()
		session.old, session.access, session.refresh = session.refresh, pair["access_token"], pair["refresh_token"]

	def use_an_old_one(self):
		"""A refresh token that was spent betrays a thief: the session ends."""
		used = [session for session in self.live if session.old]
		if used:
			session = self.random.choice(used)
			self.case.refused(self.case.refresh(session.old), 403, "refresh_token_revoked")
			self.end([session])

	def come_back_dead(self):
		if self.ended:
			session = self.random.choice(self.ended)
			self.case.dead(session.access)
			self.case.refused(self.case.refresh(session.refresh), 403, "refresh_token_revoked")
			self.case.refused(self.case.get("/auth/verify", bearer=session.access), 401, "token_revoked")

	def sign_out(self):
		session = self.a_session()
		self.case.expect(self.case.post("/auth/logout", bearer=session.access), 204)
		self.end([session])

	def sign_out_everywhere(self):
		session = self.a_session(self.email)
		self.case.expect(self.case.post("/auth/logout", {"all": True}, bearer=session.access), 204)
		self.end(self.of(self.email))

	def list_sessions(self):
		"""In an account of his own these and no others; in one he shares his own among them."""
		session = self.a_session()
		listed = {row["id"] for row in self.case.expect(self.case.get("/auth/sessions", bearer=session.access), 200).json()["sessions"]}
		known = {other.id for other in self.of(session.email)}
		if session.email == self.email:
			self.case.assertEqual(listed, known)
		else:
			self.case.assertLessEqual(known, listed)

	def change_password(self):
		session, new = self.a_session(self.email), f"{PASSWORD}-{self.random.randrange(10**9)}"
		self.case.expect(self.case.post("/auth/change-password", {"current_password": self.password, "new_password": new},
		    bearer=session.access), 204)
		self.password = new
		self.end([other for other in self.of(self.email) if other is not session])
		self.case.alive(session.access)

	def forget(self):
		new = f"{PASSWORD}-{self.random.randrange(10**9)}"
		self.case.forgot(self.email)
		token = self.case.link_of(self.email)
		self.case.expect(self.case.post("/auth/reset-password", {"token": token, "new_password": new}), 200)
		self.case.refused(self.case.post("/auth/reset-password", {"token": token, "new_password": new}), 400, "reset_token_invalid")
		self.password = new
		self.end(self.of(self.email))

	def live_until(self, end):
		acts = [(self.sign_in, 6), (self.mistype, 2), (self.look, 20), (self.pass_the_gate, 10), (self.renew, 12), (self.use_an_old_one, 1),
		    (self.come_back_dead, 6), (self.sign_out, 3), (self.sign_out_everywhere, 1), (self.list_sessions, 4), (self.change_password, 1),
		    (self.forget, 1)]
		while time.monotonic() < end:
			act = self.random.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
			act()
			self.did[act.__name__] += 1


class Soak(MailCase):
	settings = {**MailCase.settings, "REFRESH_GRACE": "0", "GATE_REQUIRES": "none", "NOTICE_MAILS": "off"}
	options = {"processes": 3}

	def link_of(self, email):
		"""Of the one mail with a link to a new password that this address has got and not read."""
		with self.reading:
			end = time.monotonic() + 30
			while email not in self.links and time.monotonic() < end:
				for mail in self.mailbox.new():
					if mail.token and "reset-password" in mail.link:
						self.links[mail.to] = mail.token
			return self.links.pop(email)

	def one_after_the_other(self, end):
		"""Not in a sanitized build, where it may cost a request: see Signals in test_running."""
		turn = 0
		while time.monotonic() < end and not is_sanitized():
			name = PROGRAMS[turn % len(PROGRAMS)]
			turn += 1
			pids = self.server.children(name)
			if len(pids) == self.options["processes"]:
				tell(pids[0], signal.SIGTERM)
				self.told += 1
			time.sleep(0.1)

	def run_all(self, targets):
		faults = []

		def guarded(target):
			try:
				target()
			except BaseException as fault:
				faults.append(f"{getattr(target, '__self__', target)}: {fault!r}")
		threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		return faults

	def test_everybody_gets_what_he_must(self):
		self.reading, self.links, self.told = threading.Lock(), {}, 0
		shared = [self.email() for _ in range(SHARED)]
		for email in shared:
			self.register(email)
		people = [Person(self, number, shared) for number in range(PEOPLE)]
		end = time.monotonic() + SECONDS
		faults = self.run_all([*(lambda person=person: person.live_until(end) for person in people), lambda: self.one_after_the_other(end)])
		did = sum((person.did for person in people), Counter())
		print(f"{sum(did.values())} acts in {SECONDS:.0f} s, {self.told} processes ended: " +
		    ", ".join(f"{name} {count}" for name, count in did.most_common()))
		self.assertEqual(faults, [])
		self.assertGreater(sum(did.values()), 10 * PEOPLE)
		self.assertTrue(self.told > 3 or is_sanitized())


if __name__ == "__main__":
	main()
