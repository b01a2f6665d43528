"""From a parcel in the ledger to the receiver's verdict on each of its records."""
