"""The Excel answer: the sender's own workbook back, with the faults as colours and comments at their cells.

Anything else that was handed over (CSV, XML, JSON, old .xls) is answered with a sheet of its rows, marked the same way.
"""
