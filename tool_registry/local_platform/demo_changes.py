"""What later commits of the demo project change: the database, and one thing in every merge request."""

from __future__ import annotations

from tool_registry.local_platform.demo_files import file

STOCK = {
    "shop/stock.py": file('''
    """What the shop sells, kept in its database. Prices are in cents."""

    import os
    import sqlite3
    from contextlib import closing

    FIRST_PRODUCTS = (("tea", 450), ("coffee", 799), ("cup", 1205))


    def _opened():
        return closing(sqlite3.connect(os.environ.get("DATABASE_NAME", "shop.sqlite")))


    def prepare():
        """Make the table and fill it, once."""
        with _opened() as database, database:
            database.execute("create table if not exists product (name text primary key, cents integer not null)")
            database.executemany("insert or ignore into product values (?, ?)", FIRST_PRODUCTS)


    def products():
        """Give every product, the cheapest first."""
        with _opened() as database:
            rows = database.execute("select name, cents from product order by cents").fetchall()
        return [{"name": name, "cents": cents} for name, cents in rows]
''')
}

NOT_BUILT = {
    "shop/vouchers.py": file('''
        """Gift vouchers."""


        def remaining(voucher, products):
            """Give what is left on a voucher after these products, never below nothing."""
            return max(0, voucher["cents"] - sum(product["cents"] for product in products))
    '''),
    "tests/test_vouchers.py": file("""
        from shop import vouchers


        def test_a_voucher_never_goes_below_nothing():
            assert vouchers.remaining({"cents": 100}, [{"cents": 450}]) == 0
    """),
}

TESTS_FAIL = {
    "shop/discounts.py": file('''
        """Discounts in percent."""


        def reduced(cents, percent):
            """Give the price after the discount, rounded to the nearest cent."""
            return cents * (100 - percent) // 100
    '''),
    "tests/test_discounts.py": file("""
        from shop import discounts


        def test_no_discount_changes_nothing():
            assert discounts.reduced(799, 0) == 799


        def test_a_discount_is_rounded_to_the_nearest_cent():
            assert discounts.reduced(799, 10) == 719
            assert discounts.reduced(1205, 15) == 1024
            assert discounts.reduced(799, 15) == 679
            assert discounts.reduced(1205, 3) == 1169
    """),
}

BILLING = {
    "billing/invoice.py": file('''
        """Invoices."""

        from datetime import date, timedelta

        from shop import prices

        TERM = timedelta(days=30)


        def due(issued):
            """Give the day an invoice issued that day must be paid."""
            return issued + TERM


        def make(number, products, issued=None):
            """Give the invoice with that number over these products."""
            day = issued or date.today()
            return {
                "number": number,
                "lines": len(products),
                "total": prices.as_text(prices.total(products)),
                "due": due(day).isoformat(),
            }
    '''),
    "tests/test_due_date.py": file("""
        from datetime import date

        from billing import invoice


        def test_an_invoice_is_due_after_thirty_days():
            assert invoice.due(date(2026, 1, 15)) == date(2026, 2, 14)


        def test_the_invoice_says_when_it_is_due():
            assert invoice.make(1, [], issued=date(2026, 12, 10))["due"] == "2027-01-09"
    """),
}

GOOD = {
    "shop/prices.py": file('''
        """Prices in cents, with tax, and how they are shown."""

        TAX_PERCENT = 19


        def as_text(cents):
            """Give 799 as 7.99."""
            return f"{cents // 100}.{cents % 100:02d}"


        def with_tax(cents):
            """Give the price with tax, rounded to the nearest cent."""
            return (cents * (100 + TAX_PERCENT) + 50) // 100


        def total(products):
            """Give the sum of all prices."""
            return sum(product["cents"] for product in products)


        def shown(product):
            """Give a product as the list of prices shows it."""
            cents = product["cents"]
            return {"name": product["name"], "price": as_text(cents), "with_tax": as_text(with_tax(cents))}
    '''),
    "tests/test_tax.py": file("""
        from shop import prices


        def test_tax_is_rounded_to_the_nearest_cent():
            assert [prices.with_tax(cents) for cents in (100, 450, 799)] == [119, 536, 951]


        def test_the_list_shows_both_prices():
            assert prices.shown({"name": "tea", "cents": 450}) == {"name": "tea", "price": "4.50", "with_tax": "5.36"}
    """),
}
