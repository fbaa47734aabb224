# SPDX-License-Identifier: MIT
"""
A small SMTP server on loopback, real down to STARTTLS and AUTH, that refuses, stalls or drips where a test says so:
what no real server (exim.py) can be brought to.

	make_certificates(folder)	a CA of our own (ca.pem), a certificate for 127.0.0.1 (good.pem) and one
					for another host (other.pem)
"""
import base64
import os
import socket
import ssl
import subprocess
import threading
import time


def openssl(folder, *arguments):
	subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def make_certificates(folder):
	curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
	openssl(folder, "req", "-x509", *curve, "-days", "2", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem",
	    "-addext", "basicConstraints=critical,CA:TRUE")
	for name, subject in (("good", "IP:127.0.0.1"), ("other", "DNS:mail.example.org")):
		openssl(folder, "req", *curve, "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
		with open(os.path.join(folder, name + ".ext"), "w") as out:
			out.write("subjectAltName=" + subject + "\n")
		openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
		    "-days", "2", "-extfile", name + ".ext", "-out", name + ".crt")
		with open(os.path.join(folder, name + ".pem"), "w") as out:
			for part in (name + ".key", name + ".crt"):
				with open(os.path.join(folder, part)) as file:
					out.write(file.read())


class Smtp:
	"""
	tls		"starttls" or "none" (not offered)
	certificate	a PEM file with key and certificate
	login		(user, password) that AUTH demands; None: no AUTH
	replies		{command: line} in place of the usual answer ("MAIL", "RCPT", "DATA", "." ...)
	silent		accepts, and never says a word
	stalls		the command after which it says no more ("MAIL", "DATA", "." ...)
	drips		the command that it answers with line after line of one answer, without an end
	"""
	def __init__(self, certificate=None, tls="starttls", login=None, replies=None, silent=False, stalls=None, drips=None):
		self.tls, self.login, self.replies, self.silent = tls, login, dict(replies or {}), silent
		self.stalls, self.drips = stalls, drips
		self.context = None
		if certificate:
			self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
			self.context.load_cert_chain(certificate)
		self.messages, self.commands = [], []		# of messages: {from, to, data, tls, login}
		self.socket = socket.create_server(("127.0.0.1", 0))
		self.port = self.socket.getsockname()[1]
		self.open = []
		self.thread = threading.Thread(target=self.accept, daemon=True)
		self.thread.start()

	def stop(self):
		if self.socket.fileno() < 0:
			return
		self.socket.shutdown(socket.SHUT_RDWR)
		self.socket.close()
		for wire in self.open:
			wire.close()
		self.thread.join(5)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.stop()

	def accept(self):
		while True:
			try:
				wire, _ = self.socket.accept()
			except OSError:
				return
			wire.settimeout(20)
			self.open.append(wire)
			if not self.silent:
				threading.Thread(target=self.serve, args=(wire,), daemon=True).start()

	def serve(self, wire):
		talk = Talk(self, wire)
		try:
			talk.run()
		except (OSError, ValueError):
			pass
		finally:
			talk.lines.close()
			talk.wire.close()


class Talk:
	def __init__(self, server, wire):
		self.server, self.wire, self.lines, self.secure = server, wire, wire.makefile("rb"), False
		self.envelope = {"to": [], "login": None}

	def is_held_up(self, word):
		"""True once the other side has given up."""
		while word == self.server.drips:
			self.say("250-and")
			time.sleep(0.2)
		if word == self.server.stalls:
			self.wire.settimeout(60)
			self.wire.recv(1)
		return word == self.server.stalls

	def say(self, text):
		self.wire.sendall(text.encode() + b"\r\n")

	def encrypt(self):
		self.wire = self.server.context.wrap_socket(self.wire, server_side=True)
		self.lines, self.secure = self.wire.makefile("rb"), True

	def run(self):
		self.say("220 test ESMTP")
		while line := self.lines.readline().rstrip(b"\r\n").decode():
			word = line.split(":")[0].split(" ")[0].upper()
			self.server.commands.append((word, self.secure))
			if self.is_held_up(word):
				return None
			if word in self.server.replies:
				self.say(self.server.replies[word])
			elif word == "QUIT":
				return self.say("221 bye")
			else:
				getattr(self, word.lower(), self.unknown)(line)

	def unknown(self, line):
		self.say("502 what")

	def ehlo(self, line):
		features = ["test"]
		if self.server.tls == "starttls" and not self.secure:
			features.append("STARTTLS")
		if self.server.login and self.secure:
			features.append("AUTH PLAIN LOGIN")
		for feature in features[:-1]:
			self.say("250-" + feature)
		self.say("250 " + features[-1])

	def starttls(self, line):
		self.say("220 go")
		self.encrypt()

	def auth(self, line):
		self.say("334 ")
		_, user, password = base64.b64decode(self.lines.readline()).decode().split("\0")
		if (user, password) != self.server.login:
			return self.say("535 5.7.8 wrong password")
		self.envelope["login"] = user
		self.say("235 welcome")

	def mail(self, line):
		self.envelope["from"] = line[line.index("<") + 1:line.index(">")]
		self.say("250 ok")

	def rcpt(self, line):
		self.envelope["to"].append(line[line.index("<") + 1:line.index(">")])
		self.say("250 ok")

	def data(self, line):
		self.say("354 go on")
		data = b""
		while (line := self.lines.readline()) not in (b".\r\n", b""):
			data += line[1:] if line.startswith(b"..") else line
		if self.is_held_up("."):
			return
		self.server.messages.append({**self.envelope, "data": data, "tls": self.secure})
		self.say(self.server.replies.get(".", "250 queued"))
