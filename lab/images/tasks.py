"""The tasks of image sets."""

SUMMARIES = (
    "[TWO-PANEL] two pictures", "[THREE-PANEL] three pictures", "[FOUR-PANEL] four pictures",
    "[STYLE-SHEET] the same thing in four styles", "[ICON-FAMILY] four icons of one family",
    "[COLOURED] a drawing coloured", "[RENDERED] a flat drawing rendered", "[STORYBOARD] a story of",
    "[COUPLE] a couple facing each other", "[IDENTITY] a logo and a thing with it",
    "[SANDSTORM] the same in a sandstorm", "[SPARKLERS] the same with sparklers",
    "[GROWTH] the same thing grows", "two pictures", "three pictures", "four pictures",
)  # fmt: skip
