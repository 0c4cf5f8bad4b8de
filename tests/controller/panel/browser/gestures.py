"""What operators do and see on the page, in the words of the page."""

from playwright.sync_api import Page, expect

NOT_A_SAFETY_FUNCTION = (
    "The buttons on this page are process commands and not a safety function. "
    "In danger, use the emergency-stop devices at the cell."
)


def shows(page: Page, state: str) -> None:
    """The header says so, sooner or later."""
    try:
        expect(page.locator(".unit")).to_have_text(state)
    except AssertionError as error:
        alarms = page.locator(".alarm").all_inner_texts()
        raise AssertionError(f"{state} is not reached, alarms: {alarms}; {error}") from error


def give(page: Page, command: str) -> None:
    page.get_by_role("button", name=command, exact=True).click()


def runs(page: Page) -> None:
    """From Stopped to Running."""
    give(page, "Reset")
    shows(page, "Idle")
    give(page, "Start")
    shows(page, "Running")


def enabled(page: Page) -> set[str]:
    """Commands that can be pressed."""
    return set(page.locator(".command:enabled").all_inner_texts())


def turns(page: Page, joint: int, way: str, for_ms: int) -> None:
    """Hold the jog button of a joint (1 to 6, up or down) for so long."""
    page.get_by_role("button", name=f"Hold to turn joint {joint} {way}").hover()
    page.mouse.down()
    page.wait_for_timeout(for_ms)
    page.mouse.up()


def one_controls_both_stop(otto: Page, olga: Page) -> None:
    """One is in control, both see it, the other stops; control is taken over by name."""
    runs(otto)
    shows(olga, "Running")
    expect(olga.get_by_role("button", name="otto is in control: take over")).to_be_visible()
    assert enabled(olga) == {"Stop", "Abort"}
    give(olga, "Stop")
    shows(otto, "Stopped")
    expect(otto.get_by_role("button", name="Reset")).to_be_enabled()
    expect(olga.get_by_role("button", name="Reset")).to_be_disabled()
    give(olga, "otto is in control: take over")
    expect(otto.get_by_role("button", name="olga is in control: take over")).to_be_visible()
    give(olga, "Reset")
    shows(otto, "Idle")


def note_when_lost(page: Page) -> None:
    """From now on `window.lostAt` is when the page first said NO DATA, 0 until then."""
    page.evaluate(
        """() => { window.lostAt = 0; const age = document.querySelector('.age');
        new MutationObserver(() => {
          if (!window.lostAt && age.textContent.startsWith('NO DATA')) window.lostAt = performance.now(); })
          .observe(age, {childList: true, characterData: true, subtree: true}); }"""
    )
