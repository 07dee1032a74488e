"""A mail server for tests: takes everything, delivers nothing, and keeps what it took.

What it does with a mail depends on how its recipient's address begins:
  later…    refused with 451 once, then taken        refused…  refused with 550
  spam…     refused with 554 once it has all of it   silent…   never answered
A mail is kept in FOLDER/mails/RECIPIENT/, what is known of its journey in headers before it.

python3 smtp.py FOLDER PORT TLS_PORT
"""

import asyncio
import os
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

FOLDER, PORT, TLS_PORT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
CERTIFICATE, KEY = os.path.join(FOLDER, "root.crt"), os.path.join(FOLDER, "server.key")


class Handler:
    def __init__(self):
        self.asked = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 nobody of that name"
        if address.startswith("silent"):
            await asyncio.sleep(3600)
        if address.startswith("later") and address not in self.asked:
            self.asked.add(address)
            return "451 4.7.1 ask again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        if any(to.startswith("spam") for to in envelope.rcpt_tos):
            return "554 5.7.1 not wanted here"
        journey = {
            "X-From": envelope.mail_from,
            "X-Hello": session.host_name,
            "X-Encrypted": "yes" if server.transport.get_extra_info("cipher") else "no",
            "X-User": (session.auth_data or b"").decode(),
            "X-Port": str(session.peer[1]),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in journey.items())
        for to in envelope.rcpt_tos:
            folder = os.path.join(FOLDER, "mails", to)
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, f"{len(os.listdir(folder))}.eml")
            with open(path + ".new", "wb") as file:
                file.write(head.encode() + envelope.original_content)
            os.rename(path + ".new", path)
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data.password == b"open sesame"
    return AuthResult(success=known, handled=False, auth_data=data.login if known else None)


async def main():
    subprocess.run(
        ["openssl", "req", "-new", "-x509", "-days", "30", "-nodes", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-addext",
         "basicConstraints=critical,CA:FALSE", "-out", CERTIFICATE, "-keyout", KEY],
        check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    handler = Handler()

    def server(**options):
        return SMTP(handler, authenticator=authenticate, enable_SMTPUTF8=False,
                    auth_require_tls=False, timeout=600, **options)

    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: server(tls_context=context), "127.0.0.1", PORT)
    await loop.create_server(server, "127.0.0.1", TLS_PORT, ssl=context)
    await asyncio.Event().wait()


asyncio.run(main())
