"""The demo project: a small shop that serves prices, bills, and tests both for real."""

from __future__ import annotations

from textwrap import dedent


def file(text: str) -> str:
    """Give the text of a file written down indented."""
    return dedent(text).lstrip("\n")


_README = file("""
    # Shop

    A small web service: `GET /health`, `GET /products`, `GET /invoices/NUMBER`. `PORT=8000 python -m shop` starts it,
    `python -m pytest` runs the tests, and those of the service too when `BASE_URL` says where it answers.
""")

_PROCFILE = file("""
    # health: /health
    web: python -m shop --port $PORT
""")

_PYTEST = file("""
    [pytest]
    testpaths = tests
    pythonpath = .
    addopts = -p no:cacheprovider
""")

_MAIN = file('''
    """Start the shop on the port it is given."""

    import argparse
    import os
    from http.server import ThreadingHTTPServer

    from shop import stock
    from shop.service import Handler


    def main() -> None:
        parser = argparse.ArgumentParser(prog="shop")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        port = parser.parse_args().port
        stock.prepare()
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        print(f"shop: serving on port {port}", flush=True)
        server.serve_forever()


    if __name__ == "__main__":
        main()
''')

_SERVICE = file('''
    """What the shop answers."""

    import json
    from http.server import BaseHTTPRequestHandler

    from billing import invoice
    from shop import prices, stock


    def answer(path):
        """Give status and value for a path."""
        if path == "/health":
            return 200, {"status": "ok", "products": len(stock.products())}
        if path == "/products":
            return 200, [prices.shown(product) for product in stock.products()]
        if path.startswith("/invoices/") and path.removeprefix("/invoices/").isdigit():
            return 200, invoice.make(int(path.removeprefix("/invoices/")), stock.products())
        return 404, {"error": f"nothing at {path}"}


    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, value = answer(self.path)
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
''')

_FIXED_STOCK = file('''
    """What the shop sells. Prices are in cents."""

    PRODUCTS = ({"name": "tea", "cents": 450}, {"name": "coffee", "cents": 799}, {"name": "cup", "cents": 1205})


    def prepare():
        """Nothing to do yet."""


    def products():
        """Give every product."""
        return list(PRODUCTS)
''')

_PRICES = file('''
    """Prices in cents, and how they are shown."""


    def as_text(cents):
        """Give 799 as 7.99."""
        return f"{cents // 100}.{cents % 100:02d}"


    def total(products):
        """Give the sum of all prices."""
        return sum(product["cents"] for product in products)


    def shown(product):
        """Give a product as the list of prices shows it."""
        return {"name": product["name"], "price": as_text(product["cents"])}
''')

_INVOICE = file('''
    """Invoices."""

    from shop import prices


    def make(number, products):
        """Give the invoice with that number over these products."""
        return {"number": number, "lines": len(products), "total": prices.as_text(prices.total(products))}
''')

_TEST_PRICES = file("""
    from shop import prices


    def test_cents_are_shown_with_two_digits():
        assert [prices.as_text(cents) for cents in (5, 450, 1205)] == ["0.05", "4.50", "12.05"]


    def test_the_total_is_the_sum():
        assert prices.total([{"cents": 450}, {"cents": 799}]) == 1249
""")

_TEST_INVOICE = file("""
    from billing import invoice


    def test_an_invoice_sums_its_lines():
        made = invoice.make(7, [{"name": "tea", "cents": 450}, {"name": "cup", "cents": 1205}])
        assert (made["number"], made["lines"], made["total"]) == (7, 2, "16.55")
""")

_TEST_SERVICE = file('''
    """Asks the running service, where BASE_URL says it is."""

    import json
    import os
    import urllib.error
    import urllib.request

    import pytest

    BASE_URL = os.environ.get("BASE_URL")
    pytestmark = pytest.mark.skipif(not BASE_URL, reason="BASE_URL says nowhere a service runs")


    def get(path):
        with urllib.request.urlopen(f"{BASE_URL}{path}", timeout=5) as response:
            return json.load(response)


    def test_the_service_is_healthy():
        assert get("/health") == {"status": "ok", "products": 3}


    def test_the_service_lists_prices():
        assert {product["name"]: product["price"] for product in get("/products")}["coffee"] == "7.99"


    def test_the_service_makes_an_invoice():
        assert get("/invoices/42")["total"] == "24.54"


    def test_an_unknown_path_is_not_found():
        with pytest.raises(urllib.error.HTTPError) as refused:
            get("/nowhere")
        with refused.value:
            assert refused.value.code == 404
''')

MAIN = {
    "README.md": _README,
    "Procfile": _PROCFILE,
    "pytest.ini": _PYTEST,
    "shop/__init__.py": "",
    "shop/__main__.py": _MAIN,
    "shop/service.py": _SERVICE,
    "shop/stock.py": _FIXED_STOCK,
    "shop/prices.py": _PRICES,
    "billing/__init__.py": "",
    "billing/invoice.py": _INVOICE,
    "tests/test_prices.py": _TEST_PRICES,
    "tests/test_invoice.py": _TEST_INVOICE,
    "tests/test_service.py": _TEST_SERVICE,
}
