# SPDX-License-Identifier: MIT
"""RATE_LIMITS=on: the waits after failures, the bounds per address, exact however many ask at once."""
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from harness import Case, PASSWORD, code_of, main, over_both

WRONG = "wrong-walnut-77"
FREE = 5		# failures; then 1, 2, 4, ... seconds


def within_a_second(attempt):
	"""
	Times are floored to seconds, so a wait of one second is a whole one only for failures at a second's
	begin: does it again, where the machine was too slow for that.
	"""
	for _ in range(10):
		time.sleep(1 - time.time() % 1)
		begun = int(time.time())
		result = attempt()
		if int(time.time()) == begun:
			return result
	raise AssertionError("the machine is too slow for this test")


def waits_within(seconds):
	"""How many of the waits of 1, 2, 4, ... seconds may have passed."""
	waits = 0
	while 2 ** (waits + 1) - 1 <= seconds + 1:
		waits += 1
	return waits


class Limited(Case):
	"""Requests come from addresses of our choice, through a trusted proxy."""
	settings = {"RATE_LIMITS": "on", "TRUSTED_PROXIES": "127.0.0.1"}
	block = 0

	@classmethod
	def address(cls):
		Limited.block += 1
		return f"198.{18 + Limited.block // 250}.{Limited.block % 250}.7"	# each in a block of its own

	def ask(self, url, body, address, **more):
		return self.post(url, body, headers={"X-Forwarded-For": address}, **more)

	def sign_in(self, who, password, address=None):
		return self.ask("/auth/login", {**who, "password": password}, address or self.address())

	def account(self):
		email = self.email()
		body = self.ask("/auth/register", {"email": email, "password": PASSWORD}, self.address())
		self.expect(body, 201)
		return email, body.json()["access_token"]


class PerAccount(Limited):
	def wrong(self, who, times):
		return [code_of(self.sign_in(who, WRONG)) for _ in range(times)]

	def test_five_failures_are_free_and_the_right_password_waits_too(self):
		def attempt():
			email, _ = self.account()
			answers = [*self.wrong({"email": email}, FREE), self.sign_in({"email": email}, PASSWORD)]
			return email, answers
		email, answers = within_a_second(attempt)
		self.assertEqual(answers[:-1], ["invalid_credentials"] * FREE)
		self.refused(answers[-1], 429, "rate_limited")
		self.assertEqual(answers[-1].headers["Retry-After"], "1")
		time.sleep(1.1)
		self.expect(self.sign_in({"email": email}, PASSWORD), 200)
		self.assertEqual(self.wrong({"email": email}, FREE - 1), ["invalid_credentials"] * (FREE - 1))	# success cleared the count
		self.expect(self.sign_in({"email": email}, PASSWORD), 200)

	def test_unknown_names_wait_as_known_ones_do(self):
		email, _ = self.account()
		for who in ({"email": email}, {"email": "%d@example.org"}, {"username": "no-such-bee%d"}, {"username": "Not A Name %d!"},
		    {"email": "%d" + "x" * 300}):
			numbers = iter(range(10))
			def attempt():
				self.expect(self.sign_in({"email": email}, PASSWORD), 200) if who == {"email": email} else None
				number = next(numbers)
				return self.wrong({name: value.replace("%d", str(number)) for name, value in who.items()}, FREE + 2)
			with self.subTest(who=str(who)[:40]):
				self.assertEqual(within_a_second(attempt), ["invalid_credentials"] * FREE + ["rate_limited"] * 2)

	def test_the_owners_own_block_is_not_locked_out_by_strangers(self):
		home = self.address()
		email, _ = self.account()
		self.expect(self.sign_in({"email": email}, PASSWORD, home), 200)
		while code_of(self.sign_in({"email": email}, WRONG)) != "rate_limited":
			pass
		self.expect(self.sign_in({"email": email}, PASSWORD, home), 200)

	def test_the_current_password_is_limited_per_user(self):
		for url, more in (("/auth/change-password", {"new_password": "orchid-" + PASSWORD}), ("/auth/delete-account", {}),
		    ("/auth/change-email", {"new_email": "other@example.org"})):
			def attempt():
				_, token = self.account()
				passwords = [WRONG] * FREE + [PASSWORD]
				return token, [code_of(self.ask(url, {"current_password": password, **more}, self.address(), bearer=token)) for password in passwords]
			with self.subTest(url=url):
				token, codes = within_a_second(attempt)
				self.assertEqual(codes, ["invalid_credentials"] * FREE + ["rate_limited"])
				self.alive(token)


@over_both
class TheWait(Limited):
	def test_it_doubles(self):
		email, _ = self.account()
		waits = []
		while not waits or waits[-1] < 4:
			answer = self.sign_in({"email": email}, WRONG)
			if answer.status == 429:
				waits.append(int(answer.headers["Retry-After"]))
				time.sleep(waits[-1] if waits[-1] < 4 else 0)
		for wait, next_wait in zip(waits, waits[1:]):		# a second may have passed until it is told, or a wait on a slow machine
			self.assertGreaterEqual(next_wait, wait)
		self.refused(self.sign_in({"email": email}, PASSWORD), 429, "rate_limited")
		time.sleep(waits[-1] + 1)
		self.expect(self.sign_in({"email": email}, PASSWORD), 200)


@over_both
class PerAddress(Limited):
	def test_thirty_sign_ins_a_minute(self):
		address = self.address()
		codes = Counter(code_of(self.sign_in({"email": self.email()}, WRONG, address)) for _ in range(40))
		self.assertEqual(codes, {"invalid_credentials": 30, "rate_limited": 10})
		answer = self.sign_in({"email": self.email()}, WRONG, address)
		self.assertLessEqual(int(answer.headers["Retry-After"]), 60)
		self.refused(self.sign_in({"email": self.email()}, WRONG), 401, "invalid_credentials")	# another address

	def test_an_ipv6_block_of_64_bits_counts_as_one(self):
		Limited.block += 1
		codes = Counter(code_of(self.sign_in({"email": self.email()}, WRONG, f"2001:db8:0:{Limited.block:x}:{n:x}::1")) for n in range(1, 33))
		self.assertEqual(codes, {"invalid_credentials": 30, "rate_limited": 2})

	def test_ten_registrations_an_hour(self):
		address = self.address()
		answers = [self.ask("/auth/register", {"email": self.email(), "password": PASSWORD}, address) for _ in range(11)]
		self.assertEqual([answer.status for answer in answers], [201] * 10 + [429])
		self.refused(answers[-1], 429, "rate_limited")

	def test_ten_forgotten_passwords_an_hour(self):
		address = self.address()
		answers = [self.ask("/auth/forgot-password", {"email": self.email()}, address) for _ in range(11)]
		self.assertEqual([answer.status for answer in answers], [200] * 10 + [429])

	def test_the_gate_me_and_refresh_are_not_limited(self):
		address = self.address()
		_, token = self.account()
		for _ in range(50):
			self.sign_in({"email": self.email()}, WRONG, address)
		headers = {"X-Forwarded-For": address}
		for _ in range(40):
			self.assertEqual(self.get("/auth/me", bearer=token, headers=headers).status, 200)
			self.assertEqual(self.ask("/auth/refresh", {"refresh_token": "x"}, address).status, 401)


class UntrustedProxy(Case):
	settings = {"RATE_LIMITS": "on"}

	def test_what_a_client_says_of_its_address_is_not_believed(self):
		codes = Counter()
		for n in range(36):
			headers = {"X-Forwarded-For": f"203.0.113.{n}", "X_Forwarded_For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}",
			    "Forwarded": f"for=203.0.113.{n}", "Client-IP": f"203.0.113.{n}"}
			codes[code_of(self.post("/auth/login", {"email": self.email(), "password": WRONG}, headers=headers))] += 1
		self.assertEqual(codes, {"invalid_credentials": 30, "rate_limited": 6})


class RightmostUntrusted(Limited):
	def test_only_the_hop_our_proxy_saw_counts(self):
		seen = self.address()
		codes = Counter(code_of(self.sign_in({"email": self.email()}, WRONG, f"203.0.113.{n}, {seen}")) for n in range(32))
		self.assertEqual(codes, {"invalid_credentials": 30, "rate_limited": 2})


class Exactness(Limited):
	def burst(self, count, ask):
		with ThreadPoolExecutor(32) as pool:
			return Counter(pool.map(ask, range(count)))

	def test_two_hundred_parallel_wrong_passwords_from_everywhere(self):
		email, _ = self.account()
		addresses = [self.address() for _ in range(200)]
		begun = time.monotonic()
		codes = self.burst(200, lambda n: code_of(self.sign_in({"email": email}, WRONG, addresses[n])))
		later = waits_within(time.monotonic() - begun)
		self.assertEqual(set(codes), {"invalid_credentials", "rate_limited"})
		self.assertGreaterEqual(codes["invalid_credentials"], FREE)
		self.assertLessEqual(codes["invalid_credentials"], FREE + later)

	def test_two_hundred_parallel_sign_ins_from_one_address(self):
		address = self.address()
		emails = [self.email() for _ in range(200)]
		codes = self.burst(200, lambda n: code_of(self.sign_in({"email": emails[n]}, WRONG, address)))
		self.assertEqual(codes, {"invalid_credentials": 30, "rate_limited": 170})


class LimitsSurvive(Limited):
	def test_a_restart_forgives_nothing(self):
		email, _ = self.account()
		address = self.address()
		for _ in range(30):
			self.sign_in({"email": self.email()}, WRONG, address)
		for wait in (0, 1, 2, 4):		# the next wait, of 8 seconds, outlasts a restart
			time.sleep(wait)
			while code_of(self.sign_in({"email": email}, WRONG)) == "invalid_credentials":
				pass
		self.server.restart()
		self.refused(self.sign_in({"email": email}, PASSWORD), 429, "rate_limited")
		self.refused(self.sign_in({"email": self.email()}, WRONG, address), 429, "rate_limited")


if __name__ == "__main__":
	main()
