"""The doctor's findings in states that this machine need not be in."""

from pathlib import Path

import pytest

from controller import doctor


def test_this_machine_can_run_it() -> None:
    findings = doctor.examine()
    assert [str(finding) for finding in findings if finding.broken] == []
    assert {"Python", "numpy", "pybullet", "kernel cache", "disk", "clock", "cores"} <= {
        f.what for f in findings
    }


def test_a_python_too_old_is_broken() -> None:
    assert doctor.python_version("3.10.4", ">=3.11").broken
    assert not doctor.python_version("3.12.0rc1", ">=3.11").broken


def test_packages_missing_or_too_old_are_broken_and_extras_are_not() -> None:
    installed = {"numpy": "1.26.4", "rich": "15.0.0", "coal": "3.0.1"}
    requirements = [
        "numpy>=2.0",
        "numba>=0.61",
        "rich>=13",
        'coal>=3.0; extra == "verify"',
        'pin>=3.0; extra == "verify"',
        'viser<1.2,>=1.1; extra == "view3d"',
    ]
    findings = {finding.what: finding for finding in doctor.packages(requirements, installed.get)}
    assert findings["numpy"].broken
    assert findings["numpy"].remedy == "pip install 'numpy>=2.0'"
    assert findings["numba"].state == "missing"
    assert findings["rich"] == doctor.Finding(what="rich", state="15.0.0")
    assert findings["extra verify"].state == "lacks pin"
    assert not findings["extra verify"].broken
    assert findings["extra view3d"].state == "lacks viser"


def test_every_requirement_of_the_package_is_understood() -> None:
    requirements = doctor.requires("jointcell") or []
    assert [text for text in requirements if not doctor._REQUIREMENT.fullmatch(text)] == []


def test_a_cache_that_cannot_be_kept_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "prepare_kernels", lambda _: Path("elsewhere/jointcell-kernels-x"))
    assert "XDG_CACHE_HOME" in doctor.kernel_cache().remedy
    monkeypatch.setattr(doctor, "prepare_kernels", lambda _: Path("cache/jointcell/kernels-x"))
    assert doctor.kernel_cache().remedy == ""


@pytest.mark.parametrize(("cores", "load", "word"), [(1, 0.0, "2 or more"), (2, 3.5, "idle"), (2, 0.5, "")])
def test_processors(cores: int, load: float, word: str) -> None:
    finding = doctor.processors(cores, load)
    assert word in finding.remedy
    assert bool(finding.remedy) == bool(word)


def test_without_a_browser_the_report_can_still_be_read() -> None:
    finding = doctor.browser(lambda _: None)
    assert "another machine" in finding.remedy
    assert not finding.broken
    assert doctor.browser({"firefox": "/usr/bin/firefox"}.get).state == "/usr/bin/firefox"
