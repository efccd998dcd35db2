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
from semc_core.pacs.destinations import BOOK_NAME, WebDestination
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


def test_a_service_is_listed_by_its_address() -> None:
    assert (
        destination_line(WebDestination("cloud", "https://host/dicom-web"))
        == "cloud   https://host/dicom-web"
    )
