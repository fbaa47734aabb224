# SPDX-License-Identifier: MIT
"""Bodies: media types, sizes, JSON as strict as the contract, forms where they belong."""
import json

from harness import Case, PASSWORD, main, over_both

LIMIT = 8192
WRONG = {"email": "nobody@example.org", "password": "wrong-but-well-formed"}


def padded(size, value=WRONG):
	"""A JSON body of exactly `size` bytes."""
	bare = json.dumps({**value, "pad": ""})
	return json.dumps({**value, "pad": "x" * (size - len(bare))}).encode()


def deep(levels):
	return b'{"email":"a@b.co","password":"x","more":' + b"[" * levels + b"]" * levels + b"}"


@over_both
class Bodies(Case):
	def body(self, data, media="application/json", url="/auth/login", **more):
		headers = {} if media is None else {"Content-Type": media}
		return self.call("POST", url, body=data, headers=headers, **more)

	def test_media_types_of_json_are_taken(self):
		for media in ("application/json", "application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
		    "Application/Json ; Charset=Utf-8"):
			with self.subTest(media=media):
				self.refused(self.body(padded(100), media), 401, "invalid_credentials")

	def test_other_media_types_are_415(self):
		for media in (None, "", "text/plain", "application/jsonx", "application/json; charset=utf-16", "application/json, text/plain",
		    "application/json+x", "text/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/jso",
		    "application/json; charset=utf-8x", "application/" + "x" * 4000):
			with self.subTest(media=media):
				self.refused(self.body(padded(100), media), 415, "unsupported_media_type")

	def test_an_empty_body_is_an_empty_object_of_any_type(self):
		for media in (None, "application/json", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
			with self.subTest(media=media):
				self.refused(self.body(b"", media), 400, "missing_field")
		self.refused(self.body(b"", "text/plain", chunked=True), 400, "missing_field")
		self.refused(self.post("/auth/login", {}), 400, "missing_field")

	def test_a_post_without_a_length_is_411_or_an_empty_object(self):
		head = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
		status = self.server.raw(head).split(b" ")[1]
		self.assertIn(status, (b"411", b"400"))		# lighttpd says 411 itself

	def test_8192_bytes_are_taken_and_one_more_is_413(self):
		for chunked in (False, True):
			with self.subTest(chunked=chunked):
				self.refused(self.body(padded(LIMIT), chunked=chunked), 401, "invalid_credentials")
				self.refused(self.body(padded(LIMIT + 1), chunked=chunked), 413, "payload_too_large")
				self.refused(self.body(padded(1 << 20), chunked=chunked), 413, "payload_too_large")
				self.refused(self.body(padded(LIMIT), chunked=chunked), 401, "invalid_credentials")

	def test_a_large_body_does_not_harm_the_next_request(self):
		for _ in range(6):
			self.refused(self.body(b"x" * 300000), 413, "payload_too_large")
		self.register()

	def test_a_body_shorter_than_its_length_changes_nothing(self):
		email = self.email()
		data = json.dumps({"email": email, "password": PASSWORD}).encode()
		head = (f"POST /auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
		    f"Content-Length: {len(data) + 5}\r\n\r\n").encode()
		self.assertNotIn(b" 201 ", self.server.raw(head + data))
		self.register(email)

	def test_lengths_that_are_no_numbers_are_400(self):
		for length in ("-1", "+5", "0x5", "5,5", "18446744073709551616", "1e3"):
			head = f"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
			with self.subTest(length=length):
				self.assertIn(self.server.raw(head.encode() + b"{}   ").split(b" ")[1], (b"400", b"413"))

	def test_malformed_json_is_invalid_json(self):
		good = b'{"email":"nobody@example.org","password":"wrong-but-well-formed"}'
		self.refused(self.body(good), 401, "invalid_credentials")
		for data in (b"{", b"}", b"{]", b"nope", good + b"x", good + good, good + b"\0", good[:-1] + b",}", b"\xef\xbb\xbf" + good,
		    good[:-1], good.replace(b'"email"', b"email"), good.replace(b'"', b"'"), b"/* c */" + good, good + b"// c",
		    good[:-1] + b',"n":NaN}', good[:-1] + b',"n":01}', good[:-1] + b',"n":1.}', good[:-1] + b',"n":0x10}',
		    good[:-1] + b',"n":+1}', good[:-1] + b',"n":.5}', good[:-1] + b',"n":Infinity}', good[:-1] + b',"n":tru}',
		    good[:-1] + b',"s":"a\tb"}', good[:-1] + b',"s":"\xff"}', good[:-1] + b',"s":"\xc0\xaf"}', good[:-1] + b',"s":"\\x"}',
		    good[:-1] + b',"s":"\xed\xa0\x80"}', good[:-1] + b',"s":"\\u12"}', good.decode().encode("utf-16"), b"\0", b'"'):
			with self.subTest(data=data[-40:]):
				self.refused(self.body(data), 400, "invalid_json")

	def test_white_space_around_json_is_json(self):
		self.refused(self.body(b' \t\r\n{ "email" : "nobody@example.org" ,\n"password":"wrong-but-well-formed"}\n'), 401, "invalid_credentials")
		self.assertEqual(self.body(b"  ").status, 400)

	def test_duplicate_members_are_invalid_json(self):
		for data in (b'{"email":"a@b.co","email":"a@b.co","password":"x"}', b'{"email":"a@b.co","password":"x","x":1,"x":2}',
		    b'{"email":"a@b.co","password":"x","\\u0065mail":"b@b.co"}', b'{"email":"a@b.co","password":"x","x":{"y":1,"y":2}}'):
			with self.subTest(data=data):
				self.refused(self.body(data), 400, "invalid_json")
		self.refused(self.body(b'{"email":"a@b.co","password":"x","x":{"email":1}}'), 401, "invalid_credentials")

	def test_nul_anywhere_is_invalid_json(self):
		for data in (b'{"email":"a@b.co\\u0000","password":"x"}', b'{"email":"a@b.co","password":"a\\u0000b"}',
		    b'{"email":"a@b.co","password":"x","x":"\\u0000"}', b'{"email":"a@b.co","password":"x","x\\u0000":1}',
		    b'{"email":"a@b.co","password":"x","x":[{"y":"\\u0000"}]}'):
			with self.subTest(data=data):
				self.refused(self.body(data), 400, "invalid_json")
		self.refused(self.body(b'{"email":"a@b.co","password":"x","x":"\\\\u0000"}'), 401, "invalid_credentials")

	def test_what_is_not_an_object_is_invalid_field(self):
		for data in (b"[]", b"null", b"1", b'"x"', b"true", b'[{"email":"a@b.co"}]'):
			with self.subTest(data=data):
				self.refused(self.body(data), 400, "invalid_field")

	def test_depth_is_bounded(self):
		self.refused(self.body(deep(5)), 401, "invalid_credentials")
		for levels in (9, 1000, 4000):
			self.refused(self.body(deep(levels)), 400, "invalid_json")

	def test_unknown_members_are_ignored_and_names_are_exact(self):
		self.refused(self.post("/auth/login", {**WRONG, "__proto__": {}, "x": [1, None]}), 401, "invalid_credentials")
		self.refused(self.post("/auth/login", {"Email": "a@b.co", "PASSWORD": "x"}), 400, "missing_field")

	def test_every_endpoint_reads_json_as_strictly(self):
		token = self.register()["access_token"]
		for url in ("register", "login", "refresh", "logout", "change-password", "change-email", "delete-account", "forgot-password",
		    "reset-password", "verify-email"):
			with self.subTest(url=url):
				self.refused(self.body(b'{"x":1,"x":2}', url="/auth/" + url, bearer=token), 400, "invalid_json")
				self.refused(self.body(b"{}", "text/plain", url="/auth/" + url, bearer=token), 415, "unsupported_media_type")
				self.refused(self.body(padded(LIMIT + 1), url="/auth/" + url, bearer=token), 413, "payload_too_large")
		self.alive(token)


FORM = "application/x-www-form-urlencoded"


@over_both
class Forms(Case):
	"""With COOKIE_MODE=off."""
	def test_forms_are_415_where_a_cookie_would_be_needed(self):
		token = self.register()["access_token"]
		for url in ("register", "login", "logout", "refresh", "change-password", "delete-account", "sessions"):
			with self.subTest(url=url):
				answer = self.call("POST", "/auth/" + url, form={"email": "a@b.co", "password": "x"}, bearer=token)
				self.refused(answer, 415, "unsupported_media_type")
		self.alive(token)

	def form(self, url, fields=None, body=None):
		headers = {"Content-Type": FORM, "Origin": self.server.origin}
		return self.call("POST", "/auth/" + url, form=fields, body=body, headers=headers)

	def test_forms_without_a_session_answer_303_to_their_page(self):
		for url, fields, result in (("forgot-password", {"email": "nobody@example.org"}, "done=1"),
		    ("reset-password", {"token": "x", "new_password": PASSWORD}, "error=reset_token_invalid"),
		    ("verify-email", {"token": "x"}, "error=reset_token_invalid"), ("change-email", {"token": "x"}, "error=reset_token_invalid")):
			with self.subTest(url=url):
				answer = self.expect(self.form(url, fields), 303)
				self.assertEqual(answer.headers["Location"], f"{self.server.origin}/{url}?{result}")

	def test_a_foreign_form_is_refused_but_for_mailed_links(self):
		for url, code in (("forgot-password", "origin_forbidden"), ("reset-password", "reset_token_invalid"),
		    ("verify-email", "reset_token_invalid"), ("change-email", "reset_token_invalid")):
			with self.subTest(url=url):
				fields = {"email": "nobody@example.org"} if url == "forgot-password" else {"token": "x", "new_password": PASSWORD}
				for headers in ({}, {"Origin": "https://evil.example"}):
					answer = self.expect(self.call("POST", "/auth/" + url, form=fields, headers=headers), 303)
					self.assertEqual(answer.headers["Location"], f"{self.server.origin}/{url}?error={code}")

	def test_what_is_not_a_form_is_400(self):
		self.expect(self.form("forgot-password", {"email": "nobody@example.org"}), 303)
		for body in (b"email=%", b"email=%2", b"email=%zz", b"email=a%00b", b"email=a@b.co&email=a@b.co"):
			with self.subTest(body=body):
				self.refused(self.form("forgot-password", body=body), 400, "bad_request")
		for body in (b"email=%C0%AF", b"email=%FF@b.co"):
			with self.subTest(body=body):
				answer = self.form("forgot-password", body=body)
				self.assertIn("invalid_field", answer.headers["Location"] or answer.text())

	def test_plus_and_percent_are_decoded_once(self):
		for body, code in ((b"email=a%2Bb@example.org", None), (b"email=a+b@example.org", "invalid_email"), (b"email=a%252Bb@example.org", None)):
			with self.subTest(body=body):
				location = self.form("forgot-password", body=body).headers["Location"]
				self.assertTrue(location.endswith(f"?error={code}" if code else "?done=1"), location)

	def test_a_form_that_is_too_large_answers_json(self):
		answer = self.call("POST", "/auth/forgot-password", body=b"email=" + b"a" * 9000, headers={"Content-Type": FORM})
		self.refused(answer, 413, "payload_too_large")

	def test_a_semicolon_does_not_separate(self):
		answer = self.form("forgot-password", body=b"x=1;email=a@b.co")
		self.assertEqual(answer.headers["Location"], self.server.origin + "/forgot-password?error=missing_field")


if __name__ == "__main__":
	main()
