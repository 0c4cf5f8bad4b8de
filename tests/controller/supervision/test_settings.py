import pytest

from controller.doctor import settings as examined
from controller.supervision.settings import SettingsError, explain_settings, load_settings


@pytest.fixture
def file(tmp_path):
    return tmp_path / "cell.toml"


def test_a_file_counts_and_the_environment_goes_above_it(file, monkeypatch):
    file.write_text('tray_places = 40\nlate_s = 2.5\ndriver = "fake"\n')
    monkeypatch.setenv("JOINTCELL_TRAY_PLACES", "7")
    monkeypatch.setenv("JOINTCELL_MODELS", '["Pro-NE30-50-70"]')
    settings = load_settings(file)
    assert (settings.tray_places, settings.late_s, settings.driver) == (7, 2.5, "fake")
    assert settings.models == ("Pro-NE30-50-70",)
    assert load_settings(None).late_s == 5.0


def test_an_unknown_key_is_named_wherever_it_is(file, monkeypatch):
    file.write_text("tray_place = 40\n")
    monkeypatch.setenv("JOINTCELL_TRAYS", "7")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    environment, in_file = str(caught.value).splitlines()
    assert environment.startswith(
        "environment: JOINTCELL_TRAYS: nobody knows it (allowed: JOINTCELL_ALLOW_JOG_REAL, "
    )
    assert in_file.startswith(f"{file}: tray_place: nobody knows it (allowed: cell, models, ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("late_s = -1", "late_s: -1: Input should be greater than 0"),
        ('driver = "sorcery"', "driver: 'sorcery': Input should be 'fake', 'sim' or 'serial'"),
        ("late_s = [", "is not TOML"),
    ],
)
def test_a_wrong_value_is_named(file, text, message):
    file.write_text(text)
    with pytest.raises(SettingsError, match=f"^{file}: ") as caught:
        load_settings(file)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("JOINTCELL_LATE_S", "soon", "environment, JOINTCELL_LATE_S: late_s: 'soon'"),
        ("JOINTCELL_MODELS", "no json", "environment: "),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch, variable, value, message):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(None)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"none.toml: cannot be read: No such file"):
        load_settings(tmp_path / "none.toml")


def test_every_setting_is_explained_with_its_origin(file, monkeypatch):
    file.write_text("tray_places = 40\n")
    monkeypatch.setenv("JOINTCELL_SEED", "3")
    explained = {one.key: one for one in explain_settings(file)}
    assert (explained["tray_places"].value, explained["tray_places"].origin) == ("40", str(file))
    assert explained["seed"].origin == "environment, JOINTCELL_SEED"
    assert explained["late_s"].origin == "default"
    assert all(one.meaning for one in explained.values())
    states = [finding.state for finding in examined(file)]
    assert f"40 ({file}): joints that the out tray holds; 0: somebody always empties it" in states


def test_the_doctor_calls_wrong_settings_broken(file):
    file.write_text("tray_place = 40\n")
    (finding,) = examined(file)
    assert finding.broken
    assert "tray_place" in finding.state
