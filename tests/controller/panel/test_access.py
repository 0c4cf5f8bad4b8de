"""Users, logins, tokens, tickets, the first user: who gets in, for how long, and what that is worth."""

from pathlib import Path

import pytest

from controller.panel.database import PanelDatabase
from controller.panel.sessions import SessionStore
from controller.panel.settings import ExposureError, PanelSettings, check_exposure
from controller.panel.throttle import LoginThrottle
from controller.panel.users import Role, UserError, UserStore
from tests.controller.panel.rig import ORIGIN, PASSWORD, Rig, Times

API = "/api/v1"


def test_roles_include_the_lesser_ones() -> None:
    roles = list(Role)
    for a, first in enumerate(roles):
        for b, second in enumerate(roles):
            assert first.includes(second) == (a >= b)


def test_passwords_are_kept_as_salted_scrypt(tmp_path: Path) -> None:
    with PanelDatabase(tmp_path / "panel.db") as database:
        users = UserStore(database, lambda: 1, log2_n=4)
        users.add("anna", Role.ENGINEER, PASSWORD)
        users.add("otto", Role.OPERATOR, PASSWORD)
        hashes = [row[0] for row in database.rows("SELECT hash FROM user")]
        assert all(entry.startswith("scrypt$4$") and PASSWORD not in entry for entry in hashes)
        assert hashes[0] != hashes[1], "the same password, another salt"
        assert users.verified("anna", PASSWORD) is not None
        assert users.verified("anna", PASSWORD + "x") is None
        assert users.verified("nobody", PASSWORD) is None
    assert (tmp_path / "panel.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Anna", PASSWORD),
        ("", PASSWORD),
        ("a b", PASSWORD),
        ("anna", "short"),
        ("longpassword", "longpassword"),
    ],
)
def test_weak_users_are_refused(tmp_path: Path, name: str, password: str) -> None:
    with PanelDatabase(tmp_path / "panel.db") as database, pytest.raises(UserError, match="allowed"):
        UserStore(database, lambda: 1, log2_n=4).add(name, Role.VIEWER, password)


def test_the_last_engineer_stays(rig: Rig) -> None:
    anna = rig.client("anna")
    assert anna.delete(f"{API}/users/anna").status_code == 409
    assert anna.delete(f"{API}/users/otto").status_code == 204
    assert anna.delete(f"{API}/users/otto").status_code == 409
    assert [user["name"] for user in anna.get(f"{API}/users").json()] == ["anna", "olga", "vera"]


def test_a_removed_user_is_out_at_once(rig: Rig) -> None:
    otto = rig.client("otto")
    assert otto.get(f"{API}/sessions/me").status_code == 200
    rig.client("anna").delete(f"{API}/users/otto")
    assert otto.get(f"{API}/sessions/me").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(rig: Rig) -> None:
    answer = rig.client().post(f"{API}/sessions", json={"name": "otto", "password": PASSWORD})
    flags = {part.strip().split("=")[0].lower(): part for part in answer.headers["set-cookie"].split(";")}
    assert {"jointcell", "httponly", "samesite", "path", "max-age"} <= set(flags)
    assert "strict" in flags["samesite"].lower()
    secret = flags["jointcell"].split("=", 1)[1]
    stored = rig.panel.database.rows("SELECT hash FROM session")
    assert secret.encode() not in {bytes(row[0]) for row in stored}


@pytest.mark.parametrize(("idle_s", "works"), [(1700.0, True), (1801.0, False)])
def test_an_idle_login_ends(rig: Rig, idle_s: float, works: bool) -> None:
    otto = rig.client("otto")
    rig.times.pass_s(idle_s)
    assert (otto.get(f"{API}/sessions/me").status_code == 200) == works


def test_a_login_ends_after_eight_hours_of_use_too(rig: Rig) -> None:
    otto = rig.client("otto")
    for _ in range(19):
        rig.times.pass_s(1500)
        assert otto.get(f"{API}/sessions/me").status_code == 200
    rig.times.pass_s(1500)
    assert otto.get(f"{API}/sessions/me").status_code == 401


def test_a_login_that_was_left_cannot_be_replayed(rig: Rig) -> None:
    otto = rig.client("otto")
    cookie = otto.cookies["jointcell"]
    otto.delete(f"{API}/sessions/me")
    answer = rig.client(cookie=f"jointcell={cookie}").get(f"{API}/sessions/me")
    assert answer.status_code == 401


def test_tokens_are_worth_their_role_and_end(rig: Rig) -> None:
    anna = rig.client("anna")
    body = {"label": "scripts", "role": "operator", "days": 10}
    secret = anna.post(f"{API}/tokens", json=body).json()["token"]
    script = rig.client(authorization=f"Bearer {secret}")
    assert script.get(f"{API}/sessions/me").json()["role"] == "operator"
    assert script.get(f"{API}/users").status_code == 403
    (listed,) = anna.get(f"{API}/tokens").json()
    assert secret not in str(listed)
    rig.times.pass_s(10 * 86_400)
    assert script.get(f"{API}/sessions/me").status_code == 401


def test_a_revoked_token_cannot_be_replayed(rig: Rig) -> None:
    anna = rig.client("anna")
    body = {"label": "scripts", "role": "viewer", "days": 10}
    secret = anna.post(f"{API}/tokens", json=body).json()["token"]
    script = rig.client(authorization=f"Bearer {secret}")
    assert script.get(f"{API}/cell").status_code == 200
    number = anna.get(f"{API}/tokens").json()[0]["id"]
    assert anna.delete(f"{API}/tokens/{number}").status_code == 204
    assert script.get(f"{API}/cell").status_code == 401
    assert anna.delete(f"{API}/tokens/{number}").status_code == 404


def test_nobody_makes_a_token_above_their_own_role(tmp_path: Path) -> None:
    with PanelDatabase(tmp_path / "panel.db") as database:
        UserStore(database, lambda: 1, log2_n=4).add("otto", Role.OPERATOR, PASSWORD)
        sessions = SessionStore(database, lambda: 1, 10.0, 10.0)
        with pytest.raises(UserError, match="allowed: up to operator"):
            sessions.issue("otto", Role.ENGINEER, "too much", 1)


def test_the_first_user_is_made_once_and_by_the_link_only(make) -> None:  # type: ignore[no-untyped-def]
    rig: Rig = make(people=False)
    client = rig.client()
    secret = rig.panel.setup_url.split("#")[1]
    body = {"secret": secret, "name": "anna", "password": PASSWORD}
    assert client.post(f"{API}/setup", json=body | {"secret": "guess"}).status_code == 401
    assert client.post(f"{API}/setup", json=body | {"password": "short"}).status_code == 422
    made = client.post(f"{API}/setup", json=body)
    assert made.status_code == 201
    assert made.json()["role"] == "engineer"
    assert client.get(f"{API}/users").status_code == 200, "and has logged in"
    assert client.post(f"{API}/setup", json=body | {"name": "eve"}).status_code == 409


def test_the_link_ends_after_an_hour(make) -> None:  # type: ignore[no-untyped-def]
    rig: Rig = make(people=False)
    secret = rig.panel.setup_url.split("#")[1]
    rig.times.pass_s(3601)
    body = {"secret": secret, "name": "anna", "password": PASSWORD}
    assert rig.client().post(f"{API}/setup", json=body).status_code == 401


def test_the_throttle_counts_a_minute() -> None:
    times = Times()
    throttle = LoginThrottle(lambda: times.s)
    for _ in range(5):
        assert throttle.wait_s("otto", "10.0.0.9") == 0.0
        throttle.failed("otto", "10.0.0.9")
    assert throttle.wait_s("otto", "10.0.0.9") == 60.0
    assert throttle.wait_s("otto", "10.0.0.1") == 0.0, "somebody elsewhere is not locked out"
    assert throttle.wait_s("anna", "10.0.0.9") == 0.0
    times.pass_s(60.0)
    assert throttle.wait_s("otto", "10.0.0.9") == 0.0
    for number in range(30):
        throttle.failed(f"user{number}", "10.0.0.9")
    assert throttle.wait_s("anna", "10.0.0.9") > 0.0, "an address that tries many names"


def test_the_throttle_forgets() -> None:
    throttle = LoginThrottle(lambda: 0.0)
    for number in range(12_000):
        throttle.failed(f"user{number}", f"10.0.{number // 250}.{number % 250}")
    assert len(throttle._failures) <= 10_000


@pytest.mark.parametrize(
    ("changes", "users", "missing"),
    [
        ({"host": "127.0.0.1"}, False, ""),
        ({"host": "::1"}, False, ""),
        ({"host": "localhost"}, False, ""),
        ({"host": "192.168.7.20"}, False, "no users"),
        ({"host": "192.168.7.20"}, True, "--tls-cert"),
        ({"host": "192.168.7.20", "insecure_lan": True}, True, ""),
        ({"host": "192.168.7.20", "insecure_lan": True}, False, "no users"),
        ({"host": "192.168.7.20", "certificate": Path("c.pem")}, True, ""),
        ({"host": "0.0.0.0", "insecure_lan": True}, True, "one name"),
        ({"host": "0.0.0.0", "certificate": Path("c.pem"), "public_origin": "https://cell.lan"}, True, ""),
        ({"host": "cell.lan"}, True, "--tls-cert"),
    ],
)
def test_what_is_open_to_a_network_is_protected(
    tmp_path: Path, changes: dict[str, object], users: bool, missing: str
) -> None:
    settings = PanelSettings(data=tmp_path, **changes)  # type: ignore[arg-type]
    if not missing:
        check_exposure(settings, users)
        return
    with pytest.raises(ExposureError, match=missing):
        check_exposure(settings, users)


def test_under_tls_the_cookie_cannot_be_set_by_anybody_else(make) -> None:  # type: ignore[no-untyped-def]
    rig: Rig = make(public_origin="https://cell.lan")
    client = rig.client(host="cell.lan", origin="https://cell.lan")
    answer = client.post(f"{API}/sessions", json={"name": "otto", "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.headers["set-cookie"].startswith("__Host-jointcell=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" in answer.headers


def test_origins_are_exact(tmp_path: Path) -> None:
    settings = PanelSettings(data=tmp_path, port=8080)
    assert settings.origins == {ORIGIN, "http://localhost:8080", "http://[::1]:8080"}
    assert settings.hosts == {"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}
