"""Small ab maps onto full-size pictures. Must not import torch or networks."""
