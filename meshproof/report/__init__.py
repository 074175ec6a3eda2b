"""Reports: sections, tables, charts, and the page that shows them."""
