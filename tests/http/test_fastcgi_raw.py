# SPDX-License-Identifier: MIT
"""The executables on a bare FastCGI socket: signals, broken peers and what no web server would send."""
import json
import os
import random
import signal
import threading
import time
import unittest

from fastcgi import (ABORT, AUTHORIZER, BEGIN, DATA, FILTER, GET_VALUES, KEEP, PARAMS, RESPONDER, STDIN, Worker, begin,
    head, is_sanitized, length, pairs, read, receive, record, stream, variables, wait_for_exit)
from harness import sign, wait_until

# To login a body that is no object is invalid_field, half of it is invalid_json, and no body is missing_field.
LIST, IS_LIST = b"[1]", (400, "invalid_field")
NOTHING = (400, "missing_field")
CUT = (400, "bad_request")
ANONYMOUS = (401, "token_missing")


class Case(unittest.TestCase):
	executable = "login"
	settings = {}
	longMessage = True

	def setUp(self):
		self.workers = []
		self.worker = self.start()

	def start(self, name=None, settings=(), **options):
		worker = Worker(name or self.executable, {**self.settings, **dict(settings)}, **options)
		self.workers.append(worker)
		return worker

	def tearDown(self):
		faults = [fault for worker in self.workers for fault in worker.stop()]
		self.assertEqual(faults, [])

	def grew_less_than(self, kibibytes, before):
		self.assertTrue(is_sanitized() or self.worker.rss() - before < kibibytes, self.worker.rss() - before)

	def serves(self, worker=None):
		"""The process is alive and a good request gets its usual answer."""
		worker = worker or self.worker
		self.assertEqual(worker.post(LIST).verdict(), IS_LIST)
		self.assertIsNone(worker.process.poll())


class Signals(Case):
	def test_ends_when_idle(self):
		for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
			with self.subTest(signal=number):
				worker = self.start()
				self.serves(worker)
				worker.process.send_signal(number)
				self.assertTrue(wait_for_exit(worker.process))
				self.assertEqual(worker.process.returncode, 0)

	def test_ends_where_another_has_made_the_socket_blocking(self):
		"""systemd does so, for all who share the socket, whenever it starts one of them."""
		worker = self.start()
		worker.listening.setblocking(True)
		self.serves(worker)
		worker.process.send_signal(signal.SIGTERM)
		self.assertTrue(wait_for_exit(worker.process, 5))
		self.assertEqual(worker.process.returncode, 0)

	def test_hears_a_signal_while_it_starts(self):
		"""A handler of libfcgi's own swallowed what came before ours was set: 4 processes in 150 lived on."""
		for _ in range(20):
			worker = Worker("health", self.settings, ready=False)
			while worker.process.poll() is None and not worker.has("SigCgt", signal.SIGTERM) and not worker.has("SigBlk", signal.SIGTERM):
				pass
			worker.process.send_signal(signal.SIGTERM)
			ended = wait_for_exit(worker.process)
			worker.stop()
			self.assertTrue(ended)

	def interrupted(self, first, rest, signals=1):
		"""The answer to a request in the midst of which SIGTERM comes."""
		self.serves()
		with self.worker.connect() as wire:
			wire.sendall(first)
			time.sleep(0.3)
			for _ in range(signals):
				self.worker.process.send_signal(signal.SIGTERM)
				time.sleep(0.1)
			self.assertIsNone(self.worker.process.poll())
			wire.sendall(rest)
			answer = receive(wire)
		self.assertTrue(answer.ended)
		self.assertTrue(wait_for_exit(self.worker.process))
		self.assertEqual(self.worker.process.returncode, 0)
		return answer

	def test_finishes_a_request_whose_body_is_being_read(self):
		given = head(variables(body=LIST))
		answer = self.interrupted(given + record(STDIN, LIST[:1]), record(STDIN, LIST[1:]) + record(STDIN), 3)
		self.assertEqual(answer.verdict(), IS_LIST)

	def test_finishes_a_request_whose_head_is_being_read(self):
		given = head(variables(body=LIST))
		answer = self.interrupted(given[:30], given[30:] + stream(STDIN, LIST))
		self.assertEqual(answer.verdict(), IS_LIST)

	def test_finishes_a_request_that_had_sent_nothing_yet(self):
		answer = self.interrupted(b"", head(variables(body=LIST)) + stream(STDIN, LIST))
		self.assertEqual(answer.verdict(), IS_LIST)

	def test_never_cuts_a_body_under_a_rain_of_signals(self):
		"""SIGTERM at any moment: each request that was begun is answered whole, or was never accepted."""
		verdicts = set()
		for _ in range(20):
			worker = self.start()
			worker.listening.close()
			self.serves(worker)
			timer = threading.Timer(random.random() * 0.01, worker.process.send_signal, [signal.SIGTERM])
			timer.start()
			try:
				for _ in range(200):
					verdicts.add(worker.post(LIST).verdict())
			except ConnectionRefusedError:
				pass
			timer.join()
			self.assertTrue(wait_for_exit(worker.process))
		self.assertLessEqual(verdicts, {IS_LIST, (0, None)})
		self.assertIn(IS_LIST, verdicts)

	def ended_with_a_queue(self, called):
		"""Ends a process before which requests wait; returns it, and what they were answered."""
		worker = self.start(called=called)
		self.serves(worker)
		given = head(variables(body=LIST)) + stream(STDIN, LIST)
		wires = [worker.connect() for _ in range(3)]
		worker.process.send_signal(signal.SIGTERM)
		for wire in wires:
			wire.sendall(given)
		answers = []
		for wire in wires:
			with wire:
				answers.append(receive(wire).verdict())
		self.assertTrue(wait_for_exit(worker.process))
		return worker, answers

	def test_refuses_connections_before_it_leaves_a_socket_of_its_own(self):
		"""mod_fcgid's names, and what others may share: there the next connection waits for a sister."""
		pid = os.getpid()
		for called, refused in ((f"{pid}.0", True), (f"{pid}.12", True), ("socket", False), (f"{pid}.0x", False), (f"{pid}.", False),
		    (f"{os.getppid()}.0", False), (f"x{pid}.0", False)):
			with self.subTest(called):
				self.shuts(called, refused)

	def shuts(self, called, refused):
		worker, answers = self.ended_with_a_queue(called)
		self.assertEqual(answers, [IS_LIST] * 3)
		try:
			worker.connect().close()
			self.assertFalse(refused)
		except ConnectionRefusedError:
			self.assertTrue(refused)


class BrokenPeers(Case):
	def test_serves_on_after_a_peer_that_goes_away(self):
		whole = head(variables(body=LIST)) + stream(STDIN, LIST)
		for end in range(0, len(whole), 7):
			with self.worker.connect() as wire:
				wire.sendall(whole[:end])
		self.serves()

	def test_refuses_a_body_that_ends_early(self):
		given = head(variables(body=LIST))
		self.assertEqual(self.worker.send(given + stream(STDIN, LIST)).verdict(), IS_LIST)
		self.assertEqual(self.worker.send(given + stream(STDIN, LIST[:2])).verdict(), CUT)
		self.assertEqual(self.worker.send(given + stream(STDIN, b"")).verdict(), CUT)
		self.serves()

	def test_refuses_a_body_whose_peer_stops_sending(self):
		with self.worker.connect() as wire:
			wire.sendall(head(variables(body=LIST)) + record(STDIN, LIST[:2]))
			wire.shutdown(1)
			self.assertEqual(receive(wire).verdict(), CUT)
		self.serves()

	def test_refuses_a_body_without_length_whose_peer_stops_sending(self):
		given = head(variables(CONTENT_TYPE="application/json", HTTP_TRANSFER_ENCODING="chunked"))
		for end, expected in ((record(STDIN), IS_LIST), (b"", CUT)):
			with self.worker.connect() as wire:
				wire.sendall(given + record(STDIN, LIST) + end)
				wire.shutdown(1)
				self.assertEqual(receive(wire).verdict(), expected)

	def test_ignores_what_follows_the_length(self):
		self.assertEqual(self.worker.ask(variables(body=LIST), LIST + b"{").verdict(), IS_LIST)

	def test_silence_holds_nobody_for_ever(self):
		"""Silent from the start, in the head, between head and body, in the body; one byte a second."""
		given = head(variables(body=LIST))
		moments = {"start": b"", "record": given[:4], "head": given[:40], "body": given,
		    "within": given + record(STDIN, LIST[:1])}
		found, threads = {}, []

		def silent(name, data, drip):
			worker = self.start()
			self.assertEqual(worker.post(LIST).verdict(), IS_LIST)
			began = time.monotonic()
			with worker.connect() as wire:
				wire.sendall(data)
				if drip:
					threading.Thread(target=dripping, args=(wire,), daemon=True).start()
				found[name] = (worker.post(LIST).verdict(), time.monotonic() - began)

		def dripping(wire):
			try:
				while True:
					time.sleep(1)
					wire.sendall(record(STDIN, b" "))
			except OSError:
				pass

		for name, data in moments.items():
			threads.append(threading.Thread(target=silent, args=(name, data, False)))
		threads.append(threading.Thread(target=silent, args=("drip",
		    head(variables(body=b" " * 1000)), True)))
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		self.assertEqual(set(found), {*moments, "drip"})
		for name, (verdict, seconds) in found.items():
			with self.subTest(moment=name):
				self.assertEqual(verdict, IS_LIST)
				self.assertLess(seconds, 14)


class Records(Case):
	def test_takes_records_of_any_size(self):
		for size in (1, 2, 3, 60000):
			with self.subTest(size=size):
				self.assertEqual(self.worker.ask(variables(body=LIST), LIST, size=size).verdict(), IS_LIST)
		given = b"".join(record(PARAMS, bytes([byte])) for byte in pairs(variables(body=LIST))) + record(PARAMS)
		self.assertEqual(self.worker.send(begin() + given + stream(STDIN, LIST)).verdict(), IS_LIST)
		padded = begin() + record(PARAMS, pairs(variables(body=LIST)), padding=255) + record(PARAMS)
		self.assertEqual(self.worker.send(padded + stream(STDIN, LIST)).verdict(), IS_LIST)

	def test_closes_a_connection_that_wants_to_be_kept(self):
		answer = self.worker.ask(variables(body=LIST), LIST, flags=KEEP)
		self.assertEqual((answer.verdict(), answer.ended, answer.closed), (IS_LIST, True, True))

	def test_survives_what_is_no_request(self):
		good = pairs(variables(body=LIST))
		huge = b"\xff\xff\xff\xff" + b"\xff\xff\xff\xff" + b"REQUEST_METHOD"
		most = b"\xff\xff\xff\xff" + b"\x04" + b"REQUEST_METHOD"
		tail = stream(STDIN, LIST)
		requests = {
			"version 0": begin(version=0) + stream(PARAMS, good) + tail,
			"version 2": begin(version=2) + stream(PARAMS, good) + tail,
			"no begin": stream(PARAMS, good) + tail,
			"request id 0": record(BEGIN, b"\0\1\0\0\0\0\0\0", request=0) + stream(PARAMS, good) + tail,
			"other request id": begin() + record(PARAMS, good, request=2) + record(PARAMS) + tail,
			"unknown role": begin(role=9) + stream(PARAMS, good) + tail,
			"unknown record": record(200, b"x") + begin() + stream(PARAMS, good) + tail,
			"length of 2^31-1": begin() + stream(PARAMS, huge) + tail,
			"one length of 2^31-1": begin() + stream(PARAMS, most) + tail,
			"cut name": begin() + stream(PARAMS, good[:-3]) + tail,
			"cut length": begin() + stream(PARAMS, b"\x80\x00") + tail,
			"empty name": begin() + stream(PARAMS, b"\0\0" + good) + tail,
			"name with an equals sign": begin() + stream(PARAMS, pairs({"A=B": "C"}) + good) + tail,
			"value with NUL": begin() + stream(PARAMS, pairs({"HTTP_X": b"a\0b"}) + good) + tail,
			"second request": head(variables(body=LIST)) + begin(request=2) + tail,
			"values asked for": record(GET_VALUES, pairs({"FCGI_MAX_CONNS": ""}), request=0) + begin() + stream(PARAMS, good) + tail,
			"aborted": head(variables(body=LIST)) + record(STDIN, LIST[:1]) + record(ABORT) + record(STDIN, LIST[1:]) + record(STDIN),
			"noise": bytes(range(256)) * 8,
		}
		before = self.worker.rss()
		for name, data in requests.items():
			with self.subTest(request=name):
				with self.worker.connect() as wire:
					wire.sendall(data)
					wire.shutdown(1)
					self.assertIn(receive(wire).status, (0, 400, 405))
				self.serves()
		self.grew_less_than(8192, before)

	def test_refuses_pairs_that_announce_too_much(self):
		"""libfcgi aborted where the lengths' sum overflows an int, and allocated any other before a byte had come."""
		most, both = 4 << 20, variables(body=LIST)
		for name, lengths in {
			"overflow by a value": b"\xff\xff\xff\xfe\1", "overflow of two": b"\xc0\0\0\0\xc0\0\0\0", "largest of both": b"\xff" * 8,
			"largest that fits": b"\xff\xff\xff\0\1", "one more than we take": length(4) + length(most - 5),
		}.items():
			pair = lengths + b"HTTP"
			for place, data in {
				"head": begin() + record(PARAMS, pairs(both) + pair) + record(PARAMS) + stream(STDIN, LIST),
				"before the head": record(GET_VALUES, pair, request=0) + head(both) + stream(STDIN, LIST),
				"in the body": head(both) + record(STDIN, LIST[:1]) + record(GET_VALUES, pair, request=0) + stream(STDIN, LIST[1:]),
			}.items():
				self.assertIn(self.worker.send(data).verdict(), ((0, None), CUT), (name, place))
				self.assertFalse(wait_for_exit(self.worker.process, 0.05), (name, place))
				self.serves()
		value = b"v" * (most - 6)	# libfcgi counts the equals sign and the end
		self.assertEqual(self.worker.ask({**both, "HTTP": value}, LIST).verdict(), IS_LIST)

	def test_takes_many_and_long_variables(self):
		before = self.worker.rss()
		many = {**variables(body=LIST), **{f"HTTP_X_{n}": "v" * 20 for n in range(10000)}}
		self.assertEqual(self.worker.ask(many, LIST).verdict(), IS_LIST)
		for name in ("HTTP_COOKIE", "HTTP_USER_AGENT", "HTTP_AUTHORIZATION", "QUERY_STRING", "HTTP_ACCEPT_LANGUAGE", "REQUEST_URI"):
			with self.subTest(name=name):
				self.assertEqual(self.worker.post(LIST, **{name: "x" * (1 << 20)}).verdict(), IS_LIST)
		self.grew_less_than(8192, before)

	def test_answers_in_every_role(self):
		for role in (RESPONDER, AUTHORIZER):
			with self.subTest(role=role):
				self.assertEqual(self.worker.ask(variables("GET"), role=role).verdict(), (405, "method_not_allowed"))
		given = head(variables("GET"), role=FILTER) + record(STDIN) + stream(DATA, b"x")
		self.assertEqual(self.worker.send(given).verdict(), (405, "method_not_allowed"))

	def test_writes_one_line_a_request(self):
		for body in (LIST, b"", b"{"):
			lines = self.worker.post(body).log.splitlines()
			self.assertEqual(len(lines), 1)
			self.assertRegex(lines[0], r"^guardbee login: status=400 code=\w+ cause=\w+ address=192\.0\.2\.1 ms=\d+$")


class Heads(Case):
	"""Path, method, length and type, in the contract's order."""
	def test_demands_a_method(self):
		self.assertEqual(self.worker.ask(variables(None)).verdict(), CUT)
		self.assertEqual(self.worker.ask(variables("")).verdict(), CUT)
		self.assertEqual(self.worker.ask([]).verdict(), CUT)
		self.assertEqual(self.worker.ask(variables("POST")).verdict(), NOTHING)

	def test_knows_its_methods_by_their_letters(self):
		for method in ("GET", "HEAD", "PUT", "DELETE", "TRACE", "post", "POST ", "P" * 4096):
			with self.subTest(method=method[:20]):
				answer = self.worker.ask(variables(method))
				self.assertEqual(answer.status, 405)
				self.assertEqual(answer.header("Allow"), "POST, OPTIONS")
		answer = self.worker.ask(variables("OPTIONS"))
		self.assertEqual((answer.status, answer.header("Allow"), answer.body), (204, "POST, OPTIONS", b""))
		self.assertEqual(self.worker.ask(variables("POST", HTTP_X_HTTP_METHOD_OVERRIDE="GET")).verdict(), NOTHING)

	def test_refuses_a_longer_path_first(self):
		for path in ("/", "//", "/../", "/%2e", ";x"):
			with self.subTest(path=path):
				self.assertEqual(self.worker.ask(variables("PUT", PATH_INFO=path)).verdict(), (404, "not_found"))
		self.assertEqual(self.worker.ask(variables("POST", PATH_INFO="")).verdict(), NOTHING)

	def test_judges_the_length(self):
		for text, expected in {
			"3": IS_LIST, "0003": IS_LIST,
			" 3": CUT, "3 ": CUT, "+3": CUT, "-1": CUT, "0x3": CUT, "3,3": CUT, "1e3": CUT, "3.0": CUT, "three": CUT,
			"2": (400, "invalid_json"), "4": CUT, "8192": CUT,
			"8193": (413, "payload_too_large"), "2147483648": (413, "payload_too_large"),
			"18446744073709551616": (413, "payload_too_large"), "9" * 400: (413, "payload_too_large"),
		}.items():
			with self.subTest(length=text[:30]):
				self.assertEqual(self.worker.post(LIST, CONTENT_LENGTH=text).verdict(), expected)

	def test_takes_absent_empty_and_zero_for_equal(self):
		for text in (None, "", "0", "000"):
			with self.subTest(length=text):
				self.assertEqual(self.worker.ask(variables(CONTENT_LENGTH=text, CONTENT_TYPE="text/plain")).verdict(), NOTHING)

	def test_reads_a_body_without_length_to_its_end(self):
		for text in (None, "", "0"):
			given = variables(CONTENT_LENGTH=text, CONTENT_TYPE="application/json", HTTP_TRANSFER_ENCODING="chunked")
			with self.subTest(length=text):
				self.assertEqual(self.worker.ask(given, LIST).verdict(), IS_LIST)
				self.assertEqual(self.worker.ask(given, LIST + b" " * 8189).verdict(), IS_LIST)
				self.assertEqual(self.worker.ask(given, LIST + b" " * 8190).verdict(), (413, "payload_too_large"))
				self.assertEqual(self.worker.ask(given, b" " * 1000000).verdict(), (413, "payload_too_large"))
		given = variables(CONTENT_TYPE="application/json", HTTP_TRANSFER_ENCODING="gzip")
		self.assertEqual(self.worker.ask(given, LIST).verdict(), (411, "length_required"))

	def test_judges_the_media_type(self):
		for text, expected in {
			"application/json": 400, "application/JSON": 400, "application/json; charset=utf-8": 400,
			"application/json;charset=UTF-8": 400, 'application/json ; charset="utf-8" ': 400,
			None: 415, "": 415, "text/plain": 415, "application/json; charset=utf-16": 415, "application/jsonx": 415,
			"application/json, text/plain": 415, "application/json; charset=utf-8; x=y": 415, "application/json;x": 415,
			"application/" + "j" * 10240: 415, "multipart/form-data; boundary=x": 415,
			"application/x-www-form-urlencoded": 415,
		}.items():
			with self.subTest(type=text and text[:50]):
				self.assertEqual(self.worker.post(LIST, CONTENT_TYPE=text).status, expected)
		for coding, expected in (("gzip", 415), ("deflate", 415), ("identity", 400)):
			self.assertEqual(self.worker.post(LIST, HTTP_CONTENT_ENCODING=coding).status, expected)

	def test_takes_a_variable_that_comes_twice_for_absent(self):
		given = list(variables(body=LIST).items())
		self.assertEqual(self.worker.ask(given + [("REQUEST_METHOD", "POST")], LIST).verdict(), IS_LIST)
		self.assertEqual(self.worker.ask(given + [("REQUEST_METHOD", "GET")], LIST).verdict(), CUT)


class Requests(Case):
	"""Nothing of one request is left for the next."""
	executable = "me"

	def serves(self, worker=None):
		self.assertEqual((worker or self.worker).ask(variables("GET")).verdict(), ANONYMOUS)

	def test_judges_the_authorization_header(self):
		for value, code, challenge in (
			(None, "token_missing", "Bearer"), ("", "token_missing", "Bearer"), ("Basic YTpi", "token_missing", "Bearer"),
			("Token x", "token_missing", "Bearer"), ("Bearerx", "token_missing", "Bearer"),
			("Bearer x", "token_invalid", 'Bearer error="invalid_token"'), ("bearer x", "token_invalid", 'Bearer error="invalid_token"'),
			("Bearer", "token_invalid", 'Bearer error="invalid_token"'), ("Bearer ", "token_invalid", 'Bearer error="invalid_token"'),
			("Bearer  x", "token_invalid", 'Bearer error="invalid_token"'), ("Bearer a b", "token_invalid", 'Bearer error="invalid_token"'),
			("Bearer a, Bearer b", "token_invalid", 'Bearer error="invalid_token"'),
			("Bearer " + "a" * 5000, "token_invalid", 'Bearer error="invalid_token"'),
		):
			for name in ("HTTP_AUTHORIZATION", "REDIRECT_HTTP_AUTHORIZATION"):
				with self.subTest(value=value and value[:30], name=name):
					answer = self.worker.ask(variables("GET", **{name: value}))
					self.assertEqual(answer.verdict(), (401, code))
					self.assertEqual(answer.header("WWW-Authenticate"), challenge)
		both = variables("GET", HTTP_AUTHORIZATION="", REDIRECT_HTTP_AUTHORIZATION="Bearer x")
		self.assertEqual(self.worker.ask(both).code(), "token_invalid")

	def test_keeps_nothing_of_the_last_request(self):
		asks = [
			(variables("GET"), 401, "Bearer"), (variables("GET", HTTP_AUTHORIZATION="Bearer x"), 401, 'Bearer error="invalid_token"'),
			(variables("POST"), 405, None), (variables("OPTIONS"), 204, None), (variables("HEAD"), 401, "Bearer"),
			(variables("GET", PATH_INFO="/x"), 404, None),
		]
		for _ in range(60):
			random.shuffle(asks)
			for given, status, challenge in asks:
				answer = self.worker.ask(given)
				self.assertEqual((answer.status, answer.header("WWW-Authenticate")), (status, challenge))
				self.assertEqual(answer.header("Allow") is not None, status in (204, 405))
				self.assertEqual(answer.body == b"", given["REQUEST_METHOD"] in ("OPTIONS", "HEAD"))

	def test_does_not_grow(self):
		for _ in range(300):
			self.serves()
		before = self.worker.rss()
		descriptors = self.descriptors()
		for _ in range(2000):
			self.serves()
		self.grew_less_than(512, before)
		self.assertEqual(self.descriptors(), descriptors)

	def descriptors(self):
		"""Once the last connection is closed."""
		def count():
			time.sleep(0.02)
			return len(os.listdir(f"/proc/{self.worker.process.pid}/fd"))
		return min(count() for _ in range(10))


class Process(Case):
	def status(self, worker, name):
		return next(line.split()[1] for line in read(f"/proc/{worker.process.pid}/status").splitlines()
		    if line.startswith(name + ":"))

	def test_leaves_no_core(self):
		self.serves()
		limits = read(f"/proc/{self.worker.process.pid}/limits")
		self.assertRegex(limits, r"Max core file size +0 +0 ")

	def test_gains_no_rights_where_no_sendmail_may_start(self):
		sendmail = {"MAIL_TRANSPORT": "sendmail", "MAIL_FROM": "guardbee@example.org"}
		for name, settings, expected in (("login", {}, "1"), ("login", sendmail, "0"), ("me", sendmail, "1")):
			with self.subTest(executable=name, settings=settings):
				worker = self.start(name, settings)
				worker.ask(variables("PUT"))
				self.assertEqual(self.status(worker, "NoNewPrivs"), expected)


class Settings(Case):
	def test_stops_where_the_environment_is_unfit(self):
		worker = self.start(settings={"EXPIRES_TOKEN_SESSION": "soon"})
		self.assertTrue(wait_for_exit(worker.process))
		self.assertEqual(worker.process.returncode, 78)
		lines = worker.stderr().splitlines()
		self.assertEqual(len(lines), 1)
		self.assertIn("EXPIRES_TOKEN_SESSION", lines[0])

	def test_takes_parameters_where_the_environment_names_none(self):
		worker = self.start("me", parameters=True)
		unfit = variables("GET", **{**worker.settings, "EXPIRES_TOKEN_SESSION": "soon"})
		fit = variables("GET", **worker.settings)
		other = variables("GET", **{**worker.settings, "EXPIRES_TOKEN_SESSION": "5"})
		answer = worker.ask(unfit)
		self.assertEqual(answer.verdict(), (503, "internal"))
		self.assertIn("EXPIRES_TOKEN_SESSION", answer.log)
		self.assertIsNotNone(answer.header("Retry-After"))
		for _ in range(2):
			self.assertEqual(worker.ask(fit).verdict(), ANONYMOUS)
			answer = worker.ask(other)
			self.assertEqual(answer.verdict(), (503, "internal"))
			self.assertEqual(len(answer.log.splitlines()), 2)
		self.assertIsNone(worker.process.poll())

	def test_ignores_parameters_where_the_environment_names_one(self):
		worker = self.start("me")
		self.assertEqual(worker.ask(variables("GET", EXPIRES_TOKEN_SESSION="soon")).verdict(), ANONYMOUS)

	def away(self, name):
		"""A worker whose store cannot be opened, and what to remove so that it can."""
		obstacle = os.path.join(self.worker.directory, "store-of-" + name)
		with open(obstacle, "w"):
			return self.start(name, {"DATABASE_URL": f"gdbm:{obstacle}"}), obstacle

	def test_answers_while_the_store_is_away_and_recovers(self):
		"""A token that is well signed belongs to a session only the store knows."""
		now = int(time.time())
		claims = {"sub": "7", "id": "7", "iat": now, "nbf": now, "exp": now + 600, "jti": "A" * 22, "type": "access", "fresh": True,
		    "sid": "A" * 22, "email": "a@example.org", "email_verified": True}
		signed = variables("GET", HTTP_AUTHORIZATION="Bearer " + sign(claims))
		worker, obstacle = self.away("me")
		for _ in range(2):
			answer = worker.ask(signed)
			self.assertEqual(answer.verdict(), (503, "store_unavailable"))
			self.assertIsNotNone(answer.header("Retry-After"))
			self.assertEqual(worker.ask(variables("GET", HTTP_AUTHORIZATION="Bearer x")).verdict(), (401, "token_invalid"))
		os.unlink(obstacle)
		self.assertEqual(worker.ask(signed).verdict(), (401, "token_revoked"))
		self.assertIsNone(worker.process.poll())

	def test_health_tells_that_the_store_is_away(self):
		worker, obstacle = self.away("health")
		answer = worker.ask(variables("GET"))
		self.assertEqual(answer.status, 503)
		self.assertIsNotNone(answer.header("Retry-After"))
		self.assertEqual(json.loads(answer.body), {"status": "failing",
		    "checks": {"store": "failing", "keys": "ok", "mail": "ok", "disk": "ok"}})
		self.assertNotIn(obstacle.encode(), answer.body)
		os.unlink(obstacle)
		answer = worker.ask(variables("GET"))
		self.assertEqual((answer.status, json.loads(answer.body)["status"]), (200, "ok"))


class Gate(Case):
	executable = "verify"

	def serves(self, worker=None):
		self.assertEqual((worker or self.worker).ask(variables("GET"), role=AUTHORIZER).verdict(), ANONYMOUS)

	def test_looks_at_nothing_but_the_token(self):
		odd = {"PATH_INFO": "/x", "CONTENT_LENGTH": "-1", "CONTENT_TYPE": "x", "HTTP_TRANSFER_ENCODING": "gzip"}
		for role in (RESPONDER, AUTHORIZER):
			for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "BREW", None):
				with self.subTest(role=role, method=method):
					answer = self.worker.ask(variables(method, **odd), role=role)
					self.assertEqual(answer.status, 401)
					self.assertIsNone(answer.header("Allow"))

	def test_refuses_a_head_that_was_cut_off(self):
		self.assertEqual(self.worker.send(begin(AUTHORIZER) + record(PARAMS) + record(STDIN)).verdict(), ANONYMOUS)
		self.serves()


class GateWithCookies(Gate):
	settings = {"COOKIE_MODE": "on"}
	page = "http://127.0.0.1:8080/login?return="

	def test_sends_a_browser_behind_lighttpd_to_the_sign_in_page(self):
		browser = {"HTTP_ACCEPT": "text/html,*/*;q=0.8", "REQUEST_URI": "/wiki/a?b=c&d=%41"}
		answer = self.worker.ask(variables("GET", **browser), role=AUTHORIZER)
		self.assertEqual((answer.status, answer.header("Location")), (302, self.page + "/wiki/a%3Fb%3Dc%26d%3D%2541"))
		for name, role, given in (
			("responder", RESPONDER, variables("GET", **browser)), ("post", AUTHORIZER, variables("POST", **browser)),
			("program", AUTHORIZER, variables("GET", HTTP_ACCEPT="*/*")),
			("Apache", AUTHORIZER, variables("GET", FCGI_APACHE_ROLE="ACCESS_CHECKER", **browser)),
			("Apache as responder", RESPONDER, variables("GET", FCGI_APACHE_ROLE="ACCESS_CHECKER", **browser)),
		):
			with self.subTest(name=name):
				self.assertEqual(self.worker.ask(given, role=role).verdict(), ANONYMOUS)


if __name__ == "__main__":
	unittest.main()
