# SPDX-License-Identifier: MIT
"""Fields: what an address, a user name, a password may be, and what a client cannot give itself."""
from harness import Case, PASSWORD, decode, main, over_both

LONG_LABEL = "a" * 63


def address(length):
	"""A well-formed address of exactly `length` bytes."""
	domain = ".".join([LONG_LABEL] * 3)
	local = "b" * (length - len(domain) - len("@.co"))
	return f"{local}@{domain}.co" if len(local) <= 64 else None


@over_both
class Emails(Case):
	def attempt(self, email):
		return self.post("/auth/register", {"email": email, "password": PASSWORD})

	def test_well_formed_addresses_are_taken(self):
		for email in ("a@b.co", "first.last+tag@example.org", "x" * 64 + "@example.org", "o'neil@example.org", "a@xn--bcher-kva.example",
		    "1234@example.org", "under_score@example.org", address(254)):
			with self.subTest(email=email):
				self.assertEqual(self.expect(self.attempt(email), 201).json()["user"]["email"], email)

	def test_an_address_is_lower_cased_whole(self):
		body = self.expect(self.attempt("Mixed.Case@EXAMPLE.Org"), 201).json()
		self.assertEqual(body["user"]["email"], "mixed.case@example.org")
		self.refused(self.attempt("mixed.case@example.org"), 409, "account_exists")
		self.login("MIXED.case@example.ORG")

	def test_malformed_addresses_are_422(self):
		self.expect(self.attempt("fine@example.net"), 201)
		for email in ("a", "ab", "@b.co", "a@", "a@@b.co", "a@b@c.co", "x" * 65 + "@example.org", ".a@b.co", "a.@b.co", "a..b@b.co",
		    "a b@b.co", " a@b.co", "a@b.co ", "a@b.co\n", "a@b.co\r\nBcc: x@b.co", "a\t@b.co", "a@b.co\x7f", "<a@b.co>", "Name <a@b.co>",
		    "a@b.co,c@d.co", "a@b.co;c@d.co", "a@-b.co", "a@b-.co", "a@b..co", "a@" + "b" * 64 + ".co", "a@b.co.", "a@.b.co",
		    "\u202ea@b.co", "a\u200b@b.co", "\ufeffa@b.co", "\u0131@b.co", "\u017fa@b.co", "\u212aa@b.co", "a\uff20b.co", "\u0430@b.co",
		    "a@b\u00fccher.example", address(255), "a@" + "b" * 300 + ".co", '"a b"@b.co', "a@[127.0.0.1]", "a@localhost", "a(c)@b.co"):
			with self.subTest(email=email):
				self.refused(self.attempt(email), 422, "invalid_email")

	def test_absent_and_empty_are_missing_null_and_other_types_invalid(self):
		self.refused(self.post("/auth/register", {"password": PASSWORD}), 400, "missing_field")
		self.refused(self.attempt(""), 400, "missing_field")
		for value in (None, 1, True, [], {}, ["a@b.co"], {"email": "a@b.co"}, 1.5):
			with self.subTest(value=value):
				self.refused(self.attempt(value), 400, "invalid_field")

	def test_a_refused_registration_leaves_nothing(self):
		email = self.email()
		self.refused(self.post("/auth/register", {"email": email, "password": "short"}), 422, "weak_password")
		self.refused(self.post("/auth/register", {"email": email, "password": PASSWORD, "username": "x"}), 422, "invalid_username")
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.register(email)


@over_both
class Usernames(Case):
	settings = {"RESERVED_USERNAMES": "admin root captain"}

	def attempt(self, username):
		return self.post("/auth/register", {"email": self.email(), "password": PASSWORD, "username": username})

	def test_well_formed_names_are_taken_and_lower_cased(self):
		for username, stored in (("abc", "abc"), ("a" * 32, "a" * 32), ("Maja.the_Bee-2", "maja.the_bee-2"), ("z..", "z..")):
			with self.subTest(username=username):
				body = self.expect(self.attempt(username), 201).json()
				self.assertEqual(body["user"]["username"], stored)
				self.assertEqual(decode(body["access_token"])[1]["username"], stored)

	def test_malformed_and_reserved_names_are_422(self):
		for username in ("ab", "a" * 33, "1abc", "_abc", ".abc", "-abc", "a b", "abc ", "ab@c", "abé", "a/b", "abc\n", "admin", "ADMIN", "Root",
		    "captain", "a" * 300):
			with self.subTest(username=username):
				self.refused(self.attempt(username), 422, "invalid_username")
		self.expect(self.attempt("administrator"), 201)		# reserved by default, not in this list

	def test_absent_and_empty_are_no_name_null_and_other_types_invalid(self):
		for fields in ({}, {"username": ""}):
			body = self.register(**fields)
			self.assertIsNone(body["user"]["username"])
			self.assertNotIn("username", decode(body["access_token"])[1])
		for value in (None, 1, [], {}, True):
			with self.subTest(value=value):
				self.refused(self.attempt(value), 400, "invalid_field")

	def test_a_name_that_is_taken_is_409(self):
		self.expect(self.attempt("flower"), 201)
		self.refused(self.attempt("flower"), 409, "account_exists")
		self.refused(self.attempt("FLOWER"), 409, "account_exists")
		self.expect(self.attempt("flower2"), 201)


class ReservedByDefault(Case):
	def test_the_list_of_the_contract_is_reserved(self):
		for username in "admin administrator root operator system support guardbee www-data nobody".split():
			with self.subTest(username=username):
				answer = self.post("/auth/register", {"email": self.email(), "password": PASSWORD, "username": username})
				self.refused(answer, 422, "invalid_username")
		self.register(username="somebody")


@over_both
class Passwords(Case):
	def attempt(self, password, email=None):
		return self.post("/auth/register", {"email": email or self.email(), "password": password})

	def reasons(self, password, email=None):
		return set(self.refused(self.attempt(password, email), 422, "weak_password")["reasons"])

	def test_limits_of_length(self):
		long = ("walnut harbour lantern 7 orchid; " * 40)[:1024]
		self.assertEqual(len(long), 1024)
		email = self.email()
		self.expect(self.attempt(long, email), 201)
		self.login(email, long)
		self.refused(self.post("/auth/login", {"email": email, "password": long[:-1]}), 401, "invalid_credentials")
		self.refused(self.attempt(long + "x"), 422, "password_too_long")
		self.refused(self.attempt("x" * 4096), 422, "password_too_long")

	def test_minimum_counts_code_points(self):
		self.assertIn("too_short", self.reasons("kXq9v#Z"))
		self.expect(self.attempt("kXq9v#Zt"), 201)
		self.assertIn("too_short", self.reasons("\u00e9\u00fc\u00f1\u00e7\u00df\u00f8"))	# 6 code points, 12 bytes

	def test_common_and_personal_passwords_are_weak(self):
		for password in ("password1", "12345678", "qwertyuiop", "iloveyou", "aaaaaaaaaaaa"):
			with self.subTest(password=password):
				self.assertIn("common", self.reasons(password))
		self.assertIn("personal", self.reasons("melisande.honeycomb", "melisande.honeycomb@example.org"))

	def test_a_password_is_used_byte_for_byte(self):
		for password, other in ((" walnut harbour 7 ", "walnut harbour 7"), ("Walnut-Harbour-77", "walnut-harbour-77"),
		    ("walnut\u00e9harbour77", "walnute\u0301harbour77"), ("walnut harbour\t77\n", "walnut harbour 77"),
		    ("walnut-harbour-" * 5 + "A", "walnut-harbour-" * 5 + "B"), ("\U0001f41d\u200d\U0001f33b walnut harbour", "walnut harbour")):
			with self.subTest(password=password):
				email = self.email()
				self.expect(self.attempt(password, email), 201)
				self.login(email, password)
				self.refused(self.post("/auth/login", {"email": email, "password": other}), 401, "invalid_credentials")

	def test_absent_and_empty_are_missing_null_and_other_types_invalid(self):
		self.refused(self.post("/auth/register", {"email": self.email()}), 400, "missing_field")
		self.refused(self.attempt(""), 400, "missing_field")
		for value in (None, 12345678, True, [], {}):
			with self.subTest(value=value):
				self.refused(self.attempt(value), 400, "invalid_field")

	def test_lone_surrogates_are_refused(self):
		answer = self.call("POST", "/auth/register", body=b'{"email":"a@b.co","password":"walnut\\ud800harbour"}',
		    headers={"Content-Type": "application/json"})
		self.assertEqual(answer.status, 400)


class StrongerPasswords(Case):
	settings = {"PASSWORD_MIN_LENGTH": "12", "PASSWORD_MIN_SCORE": "4"}

	def test_the_settings_raise_the_bar(self):
		for password, status in (("kXq9v#Zt", 422), ("walnut-harbour", 422), (PASSWORD, 201)):
			answer = self.post("/auth/register", {"email": self.email(), "password": password})
			self.assertEqual(answer.status, status, password)


class AnyPassword(Case):
	settings = {"PASSWORD_MIN_SCORE": "0"}

	def test_score_0_leaves_the_length_alone(self):
		self.register(password="sunshine1")
		answer = self.post("/auth/register", {"email": self.email(), "password": "sunshin"})
		self.assertEqual(self.refused(answer, 422, "weak_password")["reasons"], ["too_short"])


@over_both
class MassAssignment(Case):
	def test_a_client_gives_itself_nothing(self):
		body = self.register(id="1", sub="1", role="admin", admin=True, groups=["admins"], email_verified=True, flags=255,
		    created_at=1, locked=False, password_hash="x", user={"groups": ["admins"]}, session_id="x")
		me = self.expect(self.me(body["access_token"]), 200).json()
		self.assertNotEqual(me["id"], "1")
		self.assertEqual((me["groups"], me["email_verified"], me["username"]), ([], False, None))
		self.assertGreater(me["created_at"], 1)
		claims = decode(body["access_token"])[1]
		self.assertFalse(claims["email_verified"])
		self.assertFalse({"role", "admin", "flags"} & set(claims))

	def test_login_takes_nothing_but_its_fields(self):
		email = self.email()
		self.register(email)
		body = self.post("/auth/login", {"email": email, "password": PASSWORD, "groups": ["admins"], "sid": "x", "fresh": False}).json()
		self.assertTrue(decode(body["access_token"])[1]["fresh"])
		self.assertEqual(body["user"]["groups"], [])


if __name__ == "__main__":
	main()
