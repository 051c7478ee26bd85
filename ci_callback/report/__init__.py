"""The report: what became of the jobs of some days, as figures, as charts and as one HTML page.

    records ──► figures ──► charts, an SVG and a table each ──► page
    gather.py   figures.py  charts.py, flow.py, rankings.py     page.py, page.css
                tally.py    draw.py, shapes.py, charts.css
                retries.py

Only gather.py reads, and only command.py writes.
"""
