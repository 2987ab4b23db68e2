"""Notices are found, and words that only resemble them are left alone."""

from __future__ import annotations

import pytest

from rag.text.boilerplate import reasons

BODY = "The trust was set up in 2014 because of long-term failings in the town’s services, it was said."


def reason(paragraph: str) -> str | None:
    return reasons([BODY, paragraph, BODY])[1]


@pytest.mark.parametrize(
    ("paragraph", "kind"),
    [
        ("Your browser is no longer supported", "browser notice"),
        ("This site works best in a newer browser. Please update yours or try another.", "browser notice"),
        (
            "Your browser appears to have cookies disabled. Please enable cookies in your browser",
            "cookie notice",
        ),
        ("We'll assume we have your consent to use cookies, for example so you can log in.", "cookie notice"),
        (
            "We use cookies to remember what you read. Carry on to accept this. Manage cookies",
            "cookie notice",
        ),
        ("Cookies on this site: we and our 43 partners store information on your device.", "cookie notice"),
        ("blog comments powered by Disqus", "comment form"),
        ("  • Comment", "comment form"),
        ("You must sign in to make a comment", "comment form"),
        ("Links may be included in your comments but HTML is not permitted.", "comment form"),
        ("Comments are closed.", "comment form"),
        (
            "Please remember that the submission of any material is governed by our Terms and Conditions and "
            "by submitting material you confirm your agreement to these Terms and Conditions.",
            "terms notice",
        ),
        ("© 2024 Harbour Times. All rights reserved.", "terms notice"),
        ("Share this article", "sharing line"),
        ("Facebook | Twitter | Email", "sharing line"),
        ("Sign up to our weekly newsletter", "newsletter sign-up"),
        ("To stop receiving this newsletter, reply with the word STOP.", "newsletter sign-up"),
        ("ADVERTISEMENT: Get the Echo on your phone.", "advertisement"),
        ("Want more? Subscribe from £2 a week.", "subscription offer"),
        ("2.1 Naming . . . . . . . . . . 7", "table of contents"),
        ("Foreword ..... iv", "table of contents"),
        ("4 Costs …………… 12", "table of contents"),
        ("4 Costs ........ | 12", "table of contents"),
        ("4 Costs ..... 12 4.1 What was said ..... 13 5 Plans ..... 20 and further", "table of contents"),
        ("| 4 Costs ........ | p. 12 |", "table of contents"),
        ("- 2 What the inspectors said of the trust ........ 4", "table of contents"),
        ("1 Why the trust was closed ..... 3\n2 What it cost ..... 11", "table of contents"),
        (
            "1 Why the children's services of the town were taken from the council in the year\n"
            "2014, and by whom ....... 3",
            "table of contents",
        ),
        ("RELATED: Ten years of change", "link to other pages"),
        ("Subscribe to the Courier from 99p a week.", "subscription offer"),
    ],
)
def test_a_notice_is_named(paragraph: str, kind: str) -> None:
    assert reason(paragraph) == kind


@pytest.mark.parametrize(
    "paragraph",
    [
        "The council consulted on cookies in its website policy and will decide in May.",
        "The auditor found that the website uses cookies without asking, and had no policy on them.",
        "A subscription to the paper costs £15 a month, up from £12, the publisher said on Friday.",
        "Members pay £15 a month. From next year the price will be £20 a month for new members.",
        "The minister declined to comment.",
        "Comments made by the inspectors in 2015 were repeated word for word in the second report.",
        "Comments are invited on the draft plan until 30 June.",
        "Residents can have their say on the plan at the town hall.",
        "The council will share this report with its partners in the summer, and publish it in autumn.",
        "“We use cookies to count visits,” said a spokesperson for the council.",
        "Share prices fell by 4 per cent on Friday.",
        "The browser that the council uses is no longer supported by its maker, and will be replaced.",
        "Subscribers to the fund paid £300 each.",
        "The terms and conditions of staff were protected when they moved to the trust.",
        "The committee must sign in at the desk.",
        "Picture: Doncaster Children's Services Trust",
        "The newsletter was first printed in 1911 and is still sent to each of the members.",
        "Email: press@example.org",
        "Advertisements for foster carers will run on buses until August.",
        "Print runs were cut in 2012.",
        "Please enable the alarm before leaving the building.",
        "Material posted to the office before noon is dealt with that day under the terms of the contract.",
        "A donor gave the museum £5 a week.",
        "Related matters were left for the next meeting.",
        "He waited .... and left in 2014.",
        "And so it went on ... 24 posts were vacant.",
        "There was a pause ...... before the vote. It was taken at 3.",
        "The vote was taken late.\nNobody stayed to the end.\nIt was close .... 12",
    ],
)
def test_real_words_are_left_alone(paragraph: str) -> None:
    assert reason(paragraph) is None


def test_an_offer_is_marked_from_its_title_to_its_price() -> None:
    offer = [
        "CYP Now Digital membership",
        "  • Policy and research analysis\n  • Legal updates",
        "From £15 / month",
    ]
    assert reasons([BODY, *offer]) == [None, *["subscription offer"] * 3]


def test_a_price_list_of_something_else_is_kept() -> None:
    rents = ["Allotment rents", "- Full plot, with water\n- Half plot, without", "From £15 / month"]
    assert reasons([BODY, *rents]) == [None] * 4


def test_have_your_say_is_a_form_only_beside_a_form() -> None:
    assert reasons([BODY, "Have your say", "You must sign in to comment"])[1] == "comment form"
    assert (
        reasons([BODY, "Have your say", "The council asks what people think of the plan for the harbour."])[1]
        is None
    )
