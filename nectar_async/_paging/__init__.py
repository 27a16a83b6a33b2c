"""Lists of the API, read page by page: pagers, fan-out and receipts.

The words that these modules use:

    page        one response of a list, 100 records
    window      the range of dates between `start_date` and `end_date` of a list
    pass        one reading of one window, from its first page to its last
    traversal   one reading of a list: one pass, or several where a window is split in
                two, read again or verified
    batch       the pages that a plain `async for` fetches at the same time
    look-ahead  how many pages may be requested and not yet delivered
"""
