"""The SOAP service."""
