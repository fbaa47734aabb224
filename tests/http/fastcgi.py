# SPDX-License-Identifier: MIT
"""FastCGI records by hand, and one executable that listens on a unix socket as a web server starts it."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

from harness import SANITIZER_OPTIONS, SANITIZER_REPORT, SETTINGS, end_with_us, executable, wait_until

RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = 1, 2, 3, 4, 5, 6, 7, 8, 9
KEEP = 1
ID = 1


def record(kind, content=b"", request=ID, version=1, padding=0):
	return struct.pack("!BBHHBB", version, kind, request, len(content), padding, 0) + content + bytes(padding)


def begin(role=RESPONDER, flags=0, request=ID, version=1):
	return record(BEGIN, struct.pack("!HB5x", role, flags), request, version)


def length(value):
	return bytes([value]) if value < 128 else struct.pack("!I", value | 0x80000000)


def pairs(variables):
	"""variables: a dict, or pairs where a name comes twice."""
	encoded = b""
	for name, value in variables.items() if isinstance(variables, dict) else variables:
		name, value = name.encode(), value if isinstance(value, bytes) else value.encode()
		encoded += length(len(name)) + length(len(value)) + name + value
	return encoded


def stream(kind, content, size=60000):
	"""Records of at most `size` bytes, and the empty one that ends the stream."""
	pieces = [record(kind, content[at:at + size]) for at in range(0, len(content), size)]
	return b"".join(pieces) + record(kind)


def head(variables, role=RESPONDER, flags=0):
	return begin(role, flags) + stream(PARAMS, pairs(variables))


def variables(method="POST", body=b"", **more):
	given = {"REQUEST_METHOD": method, "SCRIPT_NAME": "/auth/x", "REMOTE_ADDR": "192.0.2.1"}
	if body:
		given.update(CONTENT_TYPE="application/json", CONTENT_LENGTH=str(len(body)))
	given.update(more)
	return {name: value for name, value in given.items() if value is not None}


class Answer:
	"""What came back: records of one request. closed: the other side ended the connection."""
	def __init__(self, data, closed):
		self.closed = closed
		self.streams, self.ended = {STDOUT: b"", STDERR: b""}, False
		while len(data) >= 8:
			_, kind, _, size, padding, _ = struct.unpack("!BBHHBB", data[:8])
			content, data = data[8:8 + size], data[8 + size + padding:]
			if kind in self.streams:
				self.streams[kind] += content
			self.ended = self.ended or kind == END
		self.log = self.streams[STDERR].decode()
		top, _, self.body = self.streams[STDOUT].partition(b"\r\n\r\n")
		lines = [line.split(": ", 1) for line in top.decode().split("\r\n") if line]
		self.headers = [(name.lower(), value) for name, value in lines]
		self.status = int(self.header("status", "0").split()[0])

	def header(self, name, default=None):
		return next((value for found, value in self.headers if found == name.lower()), default)

	def code(self):
		return json.loads(self.body)["code"] if self.body else None

	def verdict(self):
		return self.status, self.code()


class Worker:
	"""
	One process of an executable. parameters: no setting comes by the environment; ready False: do not wait for it;
	under: a command that becomes the executable (strace -D); called: the socket's name.
	"""
	def __init__(self, name, settings=(), parameters=False, ready=True, under=(), called="socket"):
		self.directory = tempfile.mkdtemp(prefix="gbraw")
		self.path = os.path.join(self.directory, called)
		self.state = os.path.join(self.directory, "state")
		self.settings = {"FRONTEND_URL": "http://127.0.0.1:8080", **SETTINGS, **dict(settings)}
		fixed = {name: self.settings.pop(name) for name in ("APP_ENV", "RATE_LIMITS") if name in self.settings}
		environment = {"STATE": self.state, **fixed, **({} if parameters else self.settings)}
		for option in (*SANITIZER_OPTIONS, "PATH"):
			if option in os.environ:
				environment[option] = os.environ[option]
		self.environment = environment
		self.errors = open(os.path.join(self.directory, "stderr.log"), "w+b")
		listening = socket.socket(socket.AF_UNIX)
		listening.bind(self.path)
		listening.listen(64)
		self.process = subprocess.Popen([*under, executable(name)], stdin=listening, stdout=subprocess.DEVNULL,
		    stderr=self.errors, env=environment, preexec_fn=end_with_us)
		self.listening = listening	# as one of several processes has it
		if ready:
			wait_until(lambda: self.process.poll() is not None or self.handles_signals())

	def has(self, field, number):
		"""Whether a mask of /proc's status holds a signal: SigBlk, SigCgt."""
		mask = next(line.split()[1] for line in read(f"/proc/{self.process.pid}/status").splitlines() if line.startswith(field))
		return int(mask, 16) >> (number - 1) & 1 == 1

	def handles_signals(self):
		"""SIGALRM gets its handler after all the others. SigBlk tells nothing: ppoll lifts it while a process waits."""
		return self.has("SigCgt", signal.SIGALRM)

	def connect(self, seconds=20):
		wire = socket.socket(socket.AF_UNIX)
		wire.settimeout(seconds)
		try:
			wire.connect(self.path)
		except OSError:
			wire.close()
			raise
		return wire

	def send(self, data):
		"""Sends bytes and reads until the other side closes."""
		with self.connect() as wire:
			try:
				wire.sendall(data)
			except (BrokenPipeError, ConnectionResetError):
				pass
			return receive(wire)

	def ask(self, given, body=b"", role=RESPONDER, flags=0, size=60000):
		return self.send(head(given, role, flags) + stream(STDIN, body, size))

	def post(self, body, **more):
		return self.ask(variables(body=body, **more), body)

	def rss(self):
		"""KiB."""
		return next(int(line.split()[1]) for line in read(f"/proc/{self.process.pid}/status").splitlines()
		    if line.startswith("VmRSS"))

	def holds(self, wanted):
		"""Whether these bytes stand anywhere in the process's memory: what a core would hold, and what it maps besides."""
		with open(f"/proc/{self.process.pid}/maps") as maps, open(f"/proc/{self.process.pid}/mem", "rb") as memory:
			for line in maps:
				span, rights, *_ = line.split()
				if "r" not in rights or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
					continue
				start, end = (int(text, 16) for text in span.split("-"))
				try:
					memory.seek(start)
					if wanted in memory.read(end - start):
						return True
				except (OSError, OverflowError, ValueError):
					continue
		return False

	def core(self):
		"""The bytes of a core of the process, which lives on."""
		return core_of(self.process.pid, self.directory)

	def stderr(self):
		return read(self.errors.name)

	def stop(self):
		"""Ends the process; says what is wrong with how it ended."""
		faults = []
		if self.process.poll() is None:
			self.process.send_signal(signal.SIGTERM)
			try:
				self.process.wait(15)
			except subprocess.TimeoutExpired:
				faults.append("SIGTERM does not end it")
				self.process.kill()
				self.process.wait()
		if self.process.returncode not in (0, 78):
			faults.append(f"exit code {self.process.returncode}")
		if SANITIZER_REPORT.search(self.stderr()):
			faults.append(self.stderr()[:4000])
		self.errors.close()
		self.listening.close()
		shutil.rmtree(self.directory, ignore_errors=True)
		return faults


def core_of(pid, directory):
	"""By a debugger of root's, whom a process's wish to leave no core does not stop: its memory and its registers."""
	path = os.path.join(directory, "core")
	done = subprocess.run(["gcore", "-o", path, str(pid)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
	path += f".{pid}"
	if not os.path.exists(path):
		raise AssertionError(done.stdout + done.stderr)
	with open(path, "rb") as file:
		bytes_of_it = file.read()
	os.unlink(path)
	return bytes_of_it


def is_sanitized():
	"""AddressSanitizer keeps what was freed, so that memory cannot be measured or searched."""
	with open(executable("me"), "rb") as file:
		return b"__asan_init" in file.read()


def read(path):
	with open(path, errors="replace") as file:
		return file.read()


def receive(wire):
	data = b""
	try:
		while chunk := wire.recv(65536):
			data += chunk
	except ConnectionResetError:
		pass
	except TimeoutError:
		return Answer(data, False)
	return Answer(data, True)


def wait_for_exit(process, seconds=10):
	return wait_until(lambda: process.poll() is not None, seconds)
