"""A DICOMweb service in the window: typed, asked, sent to, changed; its secret is nowhere shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.send.presenter import destination_line
from app.send.web_form import WebForm
from semc_core.pacs.destinations import BOOK_NAME, Destination, DestinationBook, WebDestination
from semc_core.pacs.web_secret import WebSecret, WebSecrets
from tests.app.send.test_dialog import WAIT_MS, bundle, send_dialog, state_of_first
from tests.pacs.web.servers import Asked, Reply, serving, stored

pytest.importorskip("dicomweb_client", reason="the extra `web` is not installed")
TOKEN = "secret-token-7"


def answer(asked: Asked) -> Reply:
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return 401, b""
    return (200, stored(asked.uid)) if asked.method == "POST" else (200, [])


def test_a_service_is_typed_asked_sent_to_and_changed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = window.choices.data
    export = bundle(tmp_path, monkeypatch, data)
    with serving(answer) as there:
        url = f"http://127.0.0.1:{there.port}/dicom-web"
        window.dialogs.show_sending(export, None)
        dialog = send_dialog(qtbot, window)
        qtbot.waitUntil(dialog.form.isVisible, timeout=WAIT_MS)
        dialog.form._web.click()
        form = dialog.web_form
        assert form.isVisible()
        form.name.setText("cloud")
        form.url.setText("ftp://host")
        form._keep()
        assert "such as https://" in form._message.text()
        form.url.setText(url)
        form._test()
        qtbot.waitUntil(lambda: "wants a token or password" in form._message.text(), timeout=WAIT_MS)
        form.token.setText(TOKEN)
        assert form.token.echoMode() is QLineEdit.EchoMode.Password
        form._test()
        qtbot.waitUntil(lambda: "cloud answers." in form._message.text(), timeout=WAIT_MS)
        QTest.keyClick(form.url, Qt.Key.Key_Return)
        qtbot.waitUntil(dialog.go.isEnabled, timeout=WAIT_MS)
        assert dialog.servers.currentText() == f"cloud   {url}"
        dialog.send()
        qtbot.waitUntil(
            lambda: dialog.table.rowCount() == 1 and state_of_first(dialog) == "sent", timeout=WAIT_MS
        )
        dialog._edit()
        assert (form.isVisible(), form.token.text(), form.name.isEnabled()) == (True, "", False)
        form._keep()
        service = WebDestination("cloud", url)
        qtbot.waitUntil(lambda: not form.isVisible(), timeout=WAIT_MS)
        assert WebSecrets(data).get(service) == WebSecret(TOKEN), "what is not typed anew stays"
        assert TOKEN not in (data / BOOK_NAME).read_text(encoding="utf-8")
        dialog._remove()
        snapshot = window.dialogs.sending
        qtbot.waitUntil(lambda: not snapshot.snapshot.destinations, timeout=WAIT_MS)
    assert not WebSecrets(data).get(service)


def test_a_secret_is_said_to_stay_only_where_it_does(qtbot: QtBot) -> None:
    form = WebForm()
    qtbot.addWidget(form)
    form.edit(WebDestination("cloud", "https://host/dicom-web"))
    secrets = (form.token, form.user, form.password)
    assert all("Stays as it is" in each.placeholderText() for each in secrets)
    form.url.setText("https://host:443/other")
    assert all("Stays as it is" in each.placeholderText() for each in secrets)
    for other in ("https://host:8443/dicom-web", "http://host/dicom-web", "https://other/dicom-web", "", "x"):
        form.url.setText(other)
        assert not any("Stays" in each.placeholderText() for each in secrets), other
    form.edit(WebDestination("cloud", "https://host/dicom-web"))
    assert all("Stays as it is" in each.placeholderText() for each in secrets)


@pytest.mark.parametrize("then", ["replaced", "replaced elsewhere and removed"])
def test_a_server_that_takes_the_name_of_a_service_leaves_no_secret(
    qtbot: QtBot, window: MainWindow, then: str
) -> None:
    data, sending = window.choices.data, window.dialogs.sending
    service, server = WebDestination("cloud", "https://host/d"), Destination("cloud", "host", 104, "PACS")
    sending.put(service, WebSecret(TOKEN))
    qtbot.waitUntil(lambda: sending.snapshot.destinations == (service,), timeout=WAIT_MS)
    assert WebSecrets(data).get(service)
    if then == "replaced":
        sending.put(server)
        qtbot.waitUntil(lambda: sending.snapshot.destinations == (server,), timeout=WAIT_MS)
    else:
        DestinationBook(data).put(server)
        sending.remove("cloud")
        qtbot.waitUntil(lambda: not sending.snapshot.destinations, timeout=WAIT_MS)
    assert not WebSecrets(data).get(service)


def test_a_service_is_listed_by_its_address() -> None:
    assert (
        destination_line(WebDestination("cloud", "https://host/dicom-web"))
        == "cloud   https://host/dicom-web"
    )
